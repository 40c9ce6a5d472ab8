package server

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"

	"github.com/stele-os/stele/agent/server/audit"
	"github.com/stele-os/stele/agent/server/identity"
	"github.com/stele-os/stele/agent/state"
	nodev1 "github.com/stele-os/stele/api/node/v1"
)

// open is a server without the runner, so that tests see its gate.
func open(t testing.TB, limits Limits) (*fixture, *listening) {
	t.Helper()
	f := &fixture{t: t, machine: &state.Machine{}, ca: newAuthority(t, "operators"), addresses: make(chan string, 1), stateDir: filepath.Join(t.TempDir(), "stele")}
	o := Options{StateDir: f.stateDir, Limits: limits, Listen: f.listen, Configuration: &fakeConfiguration{}}.filled()
	f.events, f.agentLog = o.Events, o.AgentLog
	id, _, err := identity.Open(identity.Options{Dir: filepath.Join(f.stateDir, "identity"), Now: o.Now, NotBefore: o.BuildTime.Add(-time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	trail := audit.Open(audit.Options{Dir: filepath.Join(f.stateDir, "audit"), Now: o.Now})
	raw, err := o.Listen(context.Background(), 0)
	if err != nil {
		t.Fatal(err)
	}
	f.address = <-f.addresses
	authorities := x509.NewCertPool()
	authorities.AddCert(f.ca.cert)
	l := newServer(f.machine, o, id, trail).serve(raw, authorities)
	t.Cleanup(func() { l.stop(time.Millisecond); trail.Close() })
	return f, l
}

// dialFrom connects from an address of the loopback device: on Linux all of 127.0.0.0/8 is.
func (f *fixture) dialFrom(n int) net.Conn {
	f.t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, byte(1+n/250), byte(1+n%250))}}
	c, err := d.Dial("tcp", f.address)
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { c.Close() })
	return c
}

// memory is what the process holds now, after what can be freed is.
func memory() (heap, stacks uint64) {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc, m.StackInuse
}

func (g *gate) counts() (handshaking, admitted int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.handshaking), len(g.admitted)
}

// TestFloods: whatever strangers do, what the process holds stays bounded, and someone with a certificate gets in.
func TestFloods(t *testing.T) {
	const many, boundBytes = 600, 8 << 20
	for _, tt := range []struct {
		name string
		do   func(t *testing.T, f *fixture, c net.Conn)
	}{
		{"half-open", func(*testing.T, *fixture, net.Conn) {}},
		{"a slow hello", func(_ *testing.T, _ *fixture, c net.Conn) { _, _ = c.Write([]byte{22, 3, 1, 0x20, 0}) }},
		{"a long hello", func(_ *testing.T, _ *fixture, c net.Conn) {
			_ = c.SetWriteDeadline(time.Now().Add(20 * time.Millisecond))
			_, _ = c.Write(append([]byte{22, 3, 1, 0x40, 0, 1, 0, 0xff, 0xff}, make([]byte, 1<<14)...))
		}},
		{"plain HTTP", func(_ *testing.T, _ *fixture, c net.Conn) { _, _ = io.WriteString(c, "GET / HTTP/1.1\r\n\r\n") }},
		{"no certificate", func(_ *testing.T, _ *fixture, c net.Conn) {
			_ = c.SetDeadline(time.Now().Add(200 * time.Millisecond))
			_ = tls.Client(c, clientSettings(nil)).Handshake()
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f, l := open(t, Limits{})
			heap, stacks := memory()
			for n := range many {
				tt.do(t, f, f.dialFrom(n))
			}
			if got := f.status(f.client(f.ca.client(t, "otto", []string{"stele:operator"}, nil))); got != 200 {
				t.Errorf("the operator is answered %d", got)
			}
			if waiting, _ := l.gate.counts(); waiting > l.gate.limits.Handshakes {
				t.Errorf("%d handshakes wait", waiting)
			}
			heapAfter, stacksAfter := memory()
			grown := int64(heapAfter+stacksAfter) - int64(heap+stacks)
			t.Logf("%d connections: %d KiB more", many, grown>>10)
			if grown > boundBytes {
				t.Errorf("%d bytes more", grown)
			}
		})
	}
}

func TestOneAddressCannotTakeAllHandshakes(t *testing.T) {
	f, l := open(t, Limits{AddressConnections: 4})
	for range 50 {
		f.dialFrom(0)
	}
	if got := f.status(f.client(f.ca.client(t, "otto", []string{"stele:operator"}, nil))); got != 200 {
		t.Errorf("the operator at another address is answered %d", got)
	}
	if waiting, _ := l.gate.counts(); waiting > 4 {
		t.Errorf("%d handshakes of one address wait", waiting)
	}
}

// TestSlowHeaders: a client with a certificate that never ends its request's header is let go.
func TestSlowHeaders(t *testing.T) {
	t.Parallel()
	f, l := open(t, Limits{Header: 50 * time.Millisecond, Idle: 50 * time.Millisecond})
	settings := clientSettings(f.ca.client(t, "slow", []string{"stele:reader"}, nil))
	for _, protocol := range []string{"http/1.1", "h2"} {
		settings.NextProtos = []string{protocol}
		c, err := tls.Dial("tcp", f.address, settings)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(c, map[string]string{"http/1.1": "POST / HTTP/1.1\r\nX: ", "h2": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"}[protocol])
		_, _ = io.Copy(io.Discard, c) // ends when the server closes
		c.Close()
	}
	for {
		if _, admitted := l.gate.counts(); admitted == 0 {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

func TestSlowBody(t *testing.T) {
	t.Parallel()
	f, _ := open(t, Limits{Body: 50 * time.Millisecond})
	for _, protocol := range []string{"http/1.1", "h2"} {
		client := f.client(f.ca.client(t, "slow", []string{"stele:operator"}, nil))
		if protocol == "http/1.1" {
			client.Transport = http1(f, f.ca.client(t, "slow", []string{"stele:operator"}, nil))
		}
		reading, writing := io.Pipe()
		defer writing.Close()
		go func() { _, _ = writing.Write([]byte(`{"document":"`)) }()
		response, err := client.Post(f.url()+nodev1.ConfigServiceCheckProcedure, "application/json", reading)
		if err != nil {
			continue // the connection was closed: as good
		}
		if response.Body.Close(); response.StatusCode == 200 {
			t.Errorf("%s: answered %d", protocol, response.StatusCode)
		}
	}
}

// TestManyStreams: one client gets its share and no more, and so do all together.
func TestManyStreams(t *testing.T) {
	f, l := open(t, Limits{})
	heap, stacks := memory()
	var exhausted, running int
	for n := range 12 { // clients
		client := f.client(f.ca.client(t, fmt.Sprint("rita-", n), []string{"stele:reader"}, nil))
		for range l.gate.limits.ClientStreams + 4 {
			f.events.Publish("machine", "", "open")
			ctx, cancel := context.WithCancel(context.Background())
			t.Cleanup(cancel)
			stream, err := nodev1.NewMachineServiceClient(client, f.url()).WatchEvents(ctx, connect.NewRequest(&nodev1.WatchEventsRequest{Last: 1}))
			if err != nil {
				t.Fatal(err)
			}
			if stream.Receive() {
				running++
			} else if connect.CodeOf(stream.Err()) == connect.CodeResourceExhausted {
				exhausted++
			}
		}
	}
	if running != 48 || exhausted != 12*12-48 { // three quarters of 64 are for readers
		t.Errorf("%d streams run, %d were refused", running, exhausted)
	}
	if got := f.status(f.client(f.ca.client(t, "otto", []string{"stele:operator"}, nil))); got != 200 {
		t.Errorf("the operator is answered %d", got)
	}
	heapAfter, stacksAfter := memory()
	grown := int64(heapAfter+stacksAfter) - int64(heap+stacks)
	t.Logf("%d streams: %d KiB more, clients included", running, grown>>10)
	if grown > 16<<20 {
		t.Errorf("%d bytes more", grown)
	}
}

// TestClientThatDoesNotRead: its stream ends, and nothing is kept for it.
func TestClientThatDoesNotRead(t *testing.T) {
	t.Parallel()
	f, l := open(t, Limits{Write: 100 * time.Millisecond})
	w := f.watch(f.client(f.ca.client(t, "lazy", []string{"stele:reader"}, nil)))
	message := string(bytes.Repeat([]byte("x"), 1000))
	free := func() bool {
		_, admitted := l.gate.counts()
		return admitted == 0 || f.streams() == 0
	}
	for !free() {
		for range 512 {
			f.events.Publish("machine", "", message)
		}
		time.Sleep(time.Millisecond)
	}
	w.cancel()
}

// streams counts those that are not over, by the audit log.
func (f *fixture) streams() int {
	n := 0
	for _, r := range f.records(audit.Other) {
		switch {
		case r.Event == "begin":
			n++
		case r.Event == "end" && r.Procedure == nodev1.MachineServiceWatchEventsProcedure:
			n--
		}
	}
	return n
}

// TestLargeRequests: what a procedure has no use for is refused before it is held.
func TestLargeRequests(t *testing.T) {
	f, _ := open(t, Limits{})
	client := f.client(f.ca.client(t, "otto", []string{"stele:admin"}, nil))
	var running sync.WaitGroup
	for procedure, limit := range map[string]int{nodev1.MachineServiceStatusProcedure: smallBytes, nodev1.ConfigServiceCheckProcedure: documentBytes, nodev1.IdentityServiceInstallProcedure: chainBytes} {
		running.Go(func() {
			body := append([]byte(`{"document":"`), bytes.Repeat([]byte("x"), limit)...)
			status, _, answer, err := f.post(client, procedure, "application/json", append(body, `"}`...))
			if err != nil || status == 200 || !bytes.Contains(answer, []byte("resource_exhausted")) {
				t.Errorf("%s: %d %s %v", procedure, status, answer, err)
			}
		})
	}
	running.Wait()
}
