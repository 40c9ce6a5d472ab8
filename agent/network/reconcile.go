package network

import (
	"context"
	"path/filepath"
	"reflect"
	"time"

	"github.com/stele-os/stele/agent/plan"
	"github.com/stele-os/stele/agent/state"
)

// reconciler is the loop's memory: only what the kernel cannot be asked for.
type reconciler struct {
	machine   *state.Machine
	kernel    kernel
	exchange  map[family]exchanger
	directory string // of resolv.conf and hosts
	now       func() time.Time
	after     func(time.Duration) <-chan time.Time

	leases     map[sessionKey]Lease
	problems   map[sessionKey]string
	sessions   map[sessionKey]*running
	last       observed
	carriers   map[int]bool
	driverMTU  map[int]int // as first seen: what a link goes back to
	advertised map[int]advertised
	updates    chan update
}

const (
	// passes: a link that had to be brought up first needs a second pass for its routes, and a last one to see that all is well.
	passes = 4
	// unsettledPause keeps a kernel that does not do what it says from spinning the loop; errors are tried again after it, too.
	unsettledPause = time.Second
	// resync observes even if no event came.
	resync = time.Minute
)

// reconcile makes passes until nothing is left to do, starts and stops sessions, and publishes. It tells whether all is settled.
func (r *reconciler) reconcile(ctx context.Context, desired plan.Desired) bool {
	o, problems, settled := r.converge(desired.Network)
	if r.tend(ctx, o, desired) {
		o, problems, settled = r.converge(desired.Network)
	}
	problems = append(problems, r.loopback(o)...)
	status := r.status(o, desired.Network, problems)
	problems = r.writeFiles(status, desired)
	status.Errors = append(status.Errors, problems...)
	if old, set := r.machine.Network.Get(); !set || !reflect.DeepEqual(old, status) {
		r.machine.Network.Set(status)
	}
	return settled && len(problems) == 0
}

func (r *reconciler) converge(n plan.Network) (o observed, problems []string, settled bool) {
	for range passes {
		var err error
		if o, err = r.kernel.observe(); err != nil {
			return o, []string{err.Error()}, false
		}
		r.remember(o)
		operations := r.diff(o, n)
		if len(operations) == 0 {
			return o, nil, true
		}
		problems = nil
		for _, op := range operations {
			if err := r.kernel.apply(op); err != nil {
				problems = append(problems, err.Error())
			}
		}
		if len(problems) == len(operations) {
			break
		}
	}
	return o, problems, false
}

// loopback brings the loopback link up. It comes after the sessions have begun: the kernel takes about 50 ms for it under emulation,
// which the first DHCP exchange need not wait for.
func (r *reconciler) loopback(o observed) (problems []string) {
	for _, l := range o.links {
		if !l.loopback || l.up {
			continue
		}
		if err := r.kernel.apply(operation{verb: setUp, link: l.index, name: l.name}); err != nil {
			problems = append(problems, err.Error())
		}
	}
	return problems
}

// diff returns what is to be done on all Ethernet links.
func (r *reconciler) diff(o observed, n plan.Network) []operation {
	var operations []operation
	for _, l := range o.links {
		if l.loopback {
			continue
		}
		w := want(configOf(n, l), l, r.leasesOf(l.index), r.driverMTU[l.index])
		operations = append(operations, diff(l, w)...)
	}
	return operations
}

func (r *reconciler) leasesOf(index int) []Lease {
	var out []Lease
	for _, f := range []family{v4, v6} {
		if l, ok := r.leases[sessionKey{index, f}]; ok {
			out = append(out, l)
		}
	}
	return out
}

// remember notes the MTU of new links and forgets links that are gone.
func (r *reconciler) remember(o observed) {
	r.last = o
	for _, l := range o.links {
		if _, known := r.driverMTU[l.index]; !known {
			r.driverMTU[l.index] = l.mtu
		}
	}
	for index := range r.driverMTU {
		if o.byIndex(index) == nil {
			delete(r.driverMTU, index)
			delete(r.advertised, index)
			delete(r.carriers, index)
		}
	}
}

func (r *reconciler) writeFiles(s state.Network, desired plan.Desired) []string {
	var problems []string
	for name, content := range map[string][]byte{
		"resolv.conf": resolvConf(s.Nameservers, r.search(desired.Network)),
		"hosts":       hosts(state.Hostname(desired, s)),
	} {
		if err := writeFile(filepath.Join(r.directory, name), content); err != nil {
			problems = append(problems, err.Error())
		}
	}
	return problems
}
