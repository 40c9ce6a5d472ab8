package network

import (
	"context"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stele-os/stele/agent/plan"
	"github.com/stele-os/stele/agent/state"
)

// clock is a time that stands still until it is moved. Waiters fire when it passes them.
type clock struct {
	mu      sync.Mutex
	t       time.Time
	waiters map[chan time.Time]time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) after(d time.Duration) <-chan time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	ch := make(chan time.Time, 1)
	c.waiters[ch] = c.t.Add(d)
	return ch
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
	for ch, at := range c.waiters {
		if !c.t.Before(at) {
			ch <- c.t
			delete(c.waiters, ch)
		}
	}
}

// world is a machine with a fake kernel, a fake server and a reconciler that runs.
type world struct {
	*testing.T
	kernel  *fakeKernel
	server  *fakeServer
	clock   *clock
	machine *state.Machine
	dir     string
}

func newWorld(t *testing.T, n plan.Network, links ...link) *world {
	c := &clock{t: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), waiters: map[chan time.Time]time.Time{}}
	w := &world{T: t, kernel: newFakeKernel(links...), clock: c, machine: &state.Machine{}, dir: t.TempDir()}
	offer := Lease{Address: pfx("10.0.2.15/24"), Routes: []plan.Route{via("0.0.0.0/0", "10.0.2.2", 0)},
		Nameservers: []netip.Addr{ip("10.0.2.3")}, Search: []string{"example.com"}, NTPServers: []string{"10.0.2.4"}}
	offer.timers(0, 0, time.Hour)
	w.server = &fakeServer{offer: offer, now: c.now}
	w.machine.Desired.Set(plan.Desired{Hostname: "web-1.example.com", Network: n})
	r := &reconciler{
		machine: w.machine, kernel: w.kernel, exchange: map[family]exchanger{v4: w.server, v6: w.server}, directory: w.dir,
		now: c.now, after: c.after, leases: map[sessionKey]Lease{}, problems: map[sessionKey]string{}, sessions: map[sessionKey]*running{},
		carriers: map[int]bool{}, driverMTU: map[int]int{}, advertised: map[int]advertised{}, updates: make(chan update),
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- r.run(ctx, w.kernel.changed) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return w
}

// until waits for a published network.
func (w *world) until(what string, ok func(state.Network) bool) {
	w.Helper()
	eventually(w.T, what, func() bool {
		n, set := w.machine.Network.Get()
		return set && ok(n)
	})
}

func online1(n state.Network) bool  { return n.Online }
func offline1(n state.Network) bool { return !n.Online }

func (w *world) file(name string) string {
	b, err := os.ReadFile(filepath.Join(w.dir, name))
	if err != nil {
		w.Fatal(err)
	}
	return string(b)
}

func TestEmptyDocumentGetsALease(t *testing.T) {
	lo := link{index: 1, name: "lo", loopback: true, mtu: 65536}
	w := newWorld(t, plan.Network{Default: auto}, lo, ethernet(2, "eth0", "52:54:00:12:34:56"))
	w.until("online", online1)
	n, _ := w.machine.Network.Get()
	if len(n.Links) != 1 || n.Links[0].Name != "eth0" || !slices.Equal(n.Links[0].Addresses, prefixes("10.0.2.15/24")) || len(n.Errors) > 0 {
		t.Errorf("network %+v", n)
	}
	if !slices.Equal(n.NTPServers, []string{"10.0.2.4"}) {
		t.Errorf("NTP servers %v", n.NTPServers)
	}
	if got := w.file("resolv.conf"); !strings.HasSuffix(got, "nameserver 10.0.2.3\nsearch example.com\n") {
		t.Errorf("resolv.conf %q", got)
	}
	if got := w.file("hosts"); !strings.Contains(got, "127.0.1.1 web-1.example.com web-1\n") {
		t.Errorf("hosts %q", got)
	}
	if ops := w.kernel.operations(); !slices.Contains(ops, "lo: set up") {
		t.Errorf("operations %v", ops)
	}
}

// A network without a router is a network: a registry or a metadata server on it can be reached.
func TestOnlineWithoutRouter(t *testing.T) {
	w := newWorld(t, plan.Network{Default: auto}, ethernet(2, "eth0", "52:54:00:12:34:56"))
	w.until("online", online1)
	w.server.set(func(f *fakeServer) { f.offer.Routes = nil })
	w.kernel.edit("eth0", func(l *link) { l.carrier = false })
	w.until("offline", offline1)
	w.kernel.edit("eth0", func(l *link) { l.carrier = true }) // the lease is asked for again
	eventually(t, "the default route is gone", func() (gone bool) {
		w.kernel.edit("eth0", func(l *link) {
			gone = !slices.ContainsFunc(l.routes, func(r route) bool { return r.To.Bits() == 0 })
		})
		return gone
	})
	w.until("online", online1)
}

func TestReconcileIsIdempotent(t *testing.T) {
	w := newWorld(t, plan.Network{Default: auto}, ethernet(2, "eth0", "52:54:00:12:34:56"))
	w.until("online", online1)
	before := len(w.kernel.operations())
	for range 20 {
		w.kernel.changed <- event{}
	}
	w.clock.move(resync)
	w.kernel.edit("eth0", func(l *link) { l.addresses = nil })
	eventually(t, "the address is put back", func() bool { return len(w.kernel.operations()) > before })
	if got := w.kernel.operations()[before:]; !slices.Equal(got, []string{"eth0: add address 10.0.2.15/24"}) {
		t.Errorf("operations %v", got)
	}
}

func TestAddressStaysWhileTheLeaseRenews(t *testing.T) {
	w := newWorld(t, plan.Network{Default: auto}, ethernet(2, "eth0", "52:54:00:12:34:56"))
	w.until("online", online1)
	before := len(w.kernel.operations())
	for i := range 3 {
		w.clock.move(30 * time.Minute)
		eventually(t, "renewal", func() bool { return len(w.server.seen()) == i+2 })
	}
	if log := w.server.seen(); log[1] != "renew eth0" || len(w.kernel.operations()) != before {
		t.Errorf("server saw %v, kernel %v", log, w.kernel.operations()[before:])
	}
}

// TestHostnameSent: the default name, which every machine has at first, is not told; a renewal tells the one that came since.
func TestHostnameSent(t *testing.T) {
	w := newWorld(t, plan.Network{Default: auto})
	w.machine.Desired.Update(func(d plan.Desired) plan.Desired { d.Hostname = plan.DefaultHostname; return d })
	w.kernel.plug(ethernet(2, "eth0", "52:54:00:12:34:56"))
	w.until("online", online1)
	w.machine.Desired.Update(func(d plan.Desired) plan.Desired { d.Hostname = "web-1"; return d })
	w.clock.move(30 * time.Minute)
	eventually(t, "renewal", func() bool { return len(w.server.seen()) == 2 })
	if !slices.Equal(w.server.told, []string{"", "web-1"}) {
		t.Errorf("told %q", w.server.told)
	}
}

func TestAddressGoesWithTheLease(t *testing.T) {
	w := newWorld(t, plan.Network{Default: auto}, ethernet(2, "eth0", "52:54:00:12:34:56"))
	w.until("online", online1)
	w.server.set(func(s *fakeServer) { s.silent = true })
	for range 61 {
		w.clock.move(time.Minute)
		time.Sleep(time.Millisecond)
	}
	w.until("offline", offline1)
	w.until("the reason", func(n state.Network) bool { return len(n.Errors) > 0 && len(n.Links[0].Addresses) == 0 })
	w.server.set(func(s *fakeServer) { s.silent = false })
	eventually(t, "online again", func() bool { w.clock.move(time.Second); n, _ := w.machine.Network.Get(); return n.Online })
}

func TestHotplug(t *testing.T) {
	w := newWorld(t, plan.Network{Default: auto}, ethernet(2, "eth0", "52:54:00:12:34:56"))
	w.until("online", online1)
	w.kernel.plug(ethernet(3, "eth1", "52:54:00:12:34:57"))
	w.until("the new link is up", func(n state.Network) bool { return len(n.Links) == 2 && len(n.Links[1].Addresses) == 1 })
	w.kernel.unplug("eth0")
	w.until("the old link is gone", func(n state.Network) bool { return len(n.Links) == 1 && n.Online })
	w.kernel.unplug("eth1")
	w.until("offline", offline1)
}

func TestCarrier(t *testing.T) {
	eth0 := ethernet(2, "eth0", "52:54:00:12:34:56")
	w := newWorld(t, plan.Network{Default: auto}, eth0)
	w.until("online", online1)
	w.kernel.edit("eth0", func(l *link) { l.carrier = false })
	w.until("offline, address kept", func(n state.Network) bool { return !n.Online && len(n.Links[0].Addresses) == 1 })
	w.kernel.edit("eth0", func(l *link) { l.carrier = true })
	w.until("online", online1)
	eventually(t, "the lease is verified", func() bool { return slices.Contains(w.server.seen(), "rebind eth0") })
}

func TestDocumentArrives(t *testing.T) {
	w := newWorld(t, plan.Network{Default: auto}, ethernet(2, "eth0", "52:54:00:12:34:56"))
	w.until("online", online1)
	static := plan.Network{Default: auto, Nameservers: []netip.Addr{ip("192.0.2.53")}, SearchDomains: []string{"example.net"},
		Links: []plan.Link{
			{MACAddress: "52:54:00:12:34:56", Addresses: prefixes("192.0.2.10/24"), Routes: []plan.Route{via("0.0.0.0/0", "192.0.2.1", 100)}, MTUBytes: 1400},
			{Name: "eth7", DHCP4: true},
		}}
	w.machine.Desired.Set(plan.Desired{Hostname: "web-1", Network: static})
	w.until("static", func(n state.Network) bool {
		return n.Online && len(n.Links[0].Addresses) == 1 && n.Links[0].Addresses[0] == pfx("192.0.2.10/24") && n.Links[0].MTUBytes == 1400
	})
	w.until("the absent link is reported", func(n state.Network) bool {
		return slices.Contains(n.Errors, `cannot configure link "eth7": the machine has no such Ethernet link`)
	})
	if got := w.file("resolv.conf"); !strings.HasSuffix(got, "nameserver 192.0.2.53\nsearch example.net\n") {
		t.Errorf("resolv.conf %q", got)
	}
}

func TestDHCPv6WhenAdvertised(t *testing.T) {
	eth0 := ethernet(2, "eth0", "52:54:00:12:34:56")
	w := newWorld(t, plan.Network{Default: plan.Link{IPv6Auto: true}}, eth0)
	w.until("link up", func(n state.Network) bool { return n.Links[0].Up })
	if log := w.server.seen(); len(log) > 0 {
		t.Fatalf("asked without an advertisement: %v", log)
	}
	w.server.set(func(s *fakeServer) { s.offer.Address, s.offer.Routes = pfx("2001:db8::5/128"), nil })
	w.kernel.edit("eth0", func(l *link) { l.managedFlag = true })
	w.until("address", func(n state.Network) bool { return slices.Contains(n.Links[0].Addresses, pfx("2001:db8::5/128")) })
}
