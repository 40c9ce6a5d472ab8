package network

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stele-os/stele/agent/plan"
)

func pfx(s string) netip.Prefix { return netip.MustParsePrefix(s) }
func ip(s string) netip.Addr    { return netip.MustParseAddr(s) }

// via is a route by a gateway ("" for none).
func via(to, gateway string, metric int) plan.Route {
	r := plan.Route{To: pfx(to), Metric: metric}
	if gateway != "" {
		r.Via = ip(gateway)
	}
	return r
}

// ethernet is a link as the kernel shows it before anybody touched it.
func ethernet(index int, name, mac string) link {
	return link{index: index, name: name, mac: mac, mtu: 1500,
		sysctls: map[string]string{"disable_ipv6": "0", "accept_ra": "1", "autoconf": "1"}}
}

// fakeKernel keeps links in memory and refuses what the kernel refuses.
type fakeKernel struct {
	mu      sync.Mutex
	links   []link
	applied []string
	changed chan event
	// noCarrier links stay without carrier when they go up.
	noCarrier map[string]bool
}

func newFakeKernel(links ...link) *fakeKernel {
	return &fakeKernel{links: links, changed: make(chan event, 1000), noCarrier: map[string]bool{}}
}

func (f *fakeKernel) observe() (observed, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	o := observed{links: slices.Clone(f.links)}
	for i := range o.links {
		o.links[i].addresses = slices.Clone(o.links[i].addresses)
		o.links[i].routes = slices.Clone(o.links[i].routes)
	}
	return o, nil
}

// edit changes a link behind the agent's back.
func (f *fakeKernel) edit(name string, change func(*link)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.links {
		if f.links[i].name == name {
			change(&f.links[i])
		}
	}
	f.changed <- event{}
}

func (f *fakeKernel) plug(l link) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.links = append(f.links, l)
	f.changed <- event{}
}

func (f *fakeKernel) unplug(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.links = slices.DeleteFunc(f.links, func(l link) bool { return l.name == name })
	f.changed <- event{}
}

func (f *fakeKernel) operations() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.applied)
}

func (f *fakeKernel) apply(o operation) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	i := slices.IndexFunc(f.links, func(l link) bool { return l.index == o.link })
	if i < 0 {
		return errors.New("no such device")
	}
	if err := f.change(&f.links[i], o); err != nil {
		return fmt.Errorf("cannot apply %q: %w", o, err)
	}
	f.applied = append(f.applied, o.String())
	f.changed <- event{}
	return nil
}

func (f *fakeKernel) change(l *link, o operation) error {
	switch o.verb {
	case setSysctl:
		sysctls := map[string]string{}
		for k, v := range l.sysctls {
			sysctls[k] = v
		}
		sysctls[o.sysctl] = o.value
		l.sysctls = sysctls
	case setUp:
		l.up, l.carrier = true, !f.noCarrier[l.name]
	case setMTU:
		l.mtu = o.mtu
	case addAddress:
		l.addresses = append(l.addresses, address{prefix: o.prefix})
	case removeAddress:
		l.addresses = slices.DeleteFunc(l.addresses, func(a address) bool { return a.prefix == o.prefix })
	case addRoute:
		return addRouteTo(l, o.route)
	case removeRoute:
		l.routes = slices.DeleteFunc(l.routes, func(r route) bool { return r.key() == o.route.key() })
	}
	return nil
}

// addRouteTo refuses what fib_check_nh refuses: a link that is down, a gateway that is not on the link, a route that exists.
func addRouteTo(l *link, r route) error {
	if !l.up {
		return errors.New("network is down")
	}
	if slices.ContainsFunc(l.routes, func(x route) bool { return x.key() == r.key() }) {
		return errors.New("file exists")
	}
	reachable := !r.Via.IsValid() || r.Via.IsLinkLocalUnicast() ||
		slices.ContainsFunc(l.addresses, func(a address) bool { return a.prefix.Contains(r.Via) }) ||
		slices.ContainsFunc(l.routes, func(x route) bool { return !x.Via.IsValid() && x.To.Contains(r.Via) })
	if !reachable {
		return errors.New("network is unreachable")
	}
	l.routes = append(l.routes, r)
	return nil
}

// fakeServer is a DHCP server with state: one pool, one lease a hardware address.
type fakeServer struct {
	mu      sync.Mutex
	silent  bool
	refuses bool
	offer   Lease
	now     func() time.Time
	log     []string
	// told are the host names that clients sent.
	told []string
}

func (f *fakeServer) answer(what string, t target) (Lease, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.log = append(f.log, what+" "+t.name)
	f.told = append(f.told, t.hostname)
	switch {
	case f.silent:
		return Lease{}, errors.New("no server answers")
	case f.refuses:
		return Lease{}, errRefused
	}
	l := f.offer
	l.Start = f.now()
	return l, nil
}

func (f *fakeServer) Acquire(_ context.Context, t target, _ time.Duration) (Lease, error) {
	return f.answer("acquire", t)
}
func (f *fakeServer) Renew(_ context.Context, t target, _ Lease, _ time.Duration) (Lease, error) {
	return f.answer("renew", t)
}
func (f *fakeServer) Rebind(_ context.Context, t target, _ Lease, _ time.Duration) (Lease, error) {
	return f.answer("rebind", t)
}

func (f *fakeServer) set(change func(*fakeServer)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(f)
}

func (f *fakeServer) seen() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.log)
}

// eventually waits until ok, woken by nothing but time; it fails the test after ten seconds.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for range 2000 {
		if ok() {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("never: %s", what)
}

func prefixes(list ...string) []netip.Prefix {
	var out []netip.Prefix
	for _, s := range list {
		out = append(out, pfx(s))
	}
	return out
}
