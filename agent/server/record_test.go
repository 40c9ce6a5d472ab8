package server

import (
	"crypto/x509"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stele-os/stele/agent/server/audit"
	nodev1 "github.com/stele-os/stele/api/node/v1"
)

func TestBudget(t *testing.T) {
	now := time.Unix(1000, 0)
	b := newBudget(func() time.Time { return now }, 3, time.Minute)
	take := func() (n int) {
		for {
			ok, _ := b.take()
			if !ok {
				return n
			}
			n++
		}
	}
	for _, tt := range []struct {
		name  string
		later time.Duration
		want  int
	}{{"the burst", 0, 3}, {"at once", 0, 0}, {"after a period", time.Minute, 1}, {"after two and a half", 150 * time.Second, 2},
		{"after years", 1 << 62, 3}, {"the clock is set back", -1 << 62, 1}} {
		now = now.Add(tt.later)
		if got := take(); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
	now = now.Add(time.Minute)
	if ok, missed := b.take(); !ok || missed != 1 {
		t.Errorf("%t, %d missed", ok, missed)
	}
}

func TestOwn(t *testing.T) {
	for remote, want := range map[string]bool{"127.0.0.1:5": true, "[::1]:5": true, "[::ffff:127.0.0.1]:5": true, "192.0.2.1:5": false, "": false} {
		if own(remote) != want {
			t.Errorf("%q: %t", remote, !want)
		}
	}
}

// TestAlarms: the machine's own question whether the API serves is no alarm; whoever shows a certificate is one, from the machine itself, too.
func TestAlarms(t *testing.T) {
	f := start(t, nil)
	s := newServer(f.machine, Options{Events: f.events}.filled(), nil, audit.Open(audit.Options{Dir: t.TempDir(), Now: time.Now}))
	for _, r := range []audit.Record{
		{Event: "handshake", Remote: "127.0.0.1:5", Error: "the machine's own question"},
		{Event: "handshake", Remote: "127.0.0.1:5", Serial: "1", Error: "a foreign certificate from within"},
		{Event: "refused", Remote: "127.0.0.1:5", Procedure: "x", Error: "a refusal from within"},
		{Event: "handshake", Remote: "192.0.2.1:5", Error: "a stranger"},
	} {
		s.refuse(r)
	}
	f.events.Publish("api", "", "the end")
	var told []string
	for reader := f.events.Reader(512); ; {
		e, err := reader.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if e.Message == "the end" {
			break
		}
		told = append(told, e.Message)
	}
	got := strings.Join(told, "\n")
	for words, want := range map[string]bool{"own question": false, "foreign certificate": true, "refusal": true, "stranger": true} {
		if strings.Contains(got, words) != want {
			t.Errorf("%q: %t\n%s", words, !want, got)
		}
	}
}

// TestDocumentsAreKeptForOperators: readers who send documents slowly do not keep an operator from sending one.
func TestDocumentsAreKeptForOperators(t *testing.T) {
	s, check := newSlots(Limits{}.filled()), rules[nodev1.ConfigServiceCheckProcedure]
	for n, tt := range []struct {
		role role
		want bool
	}{{reader, true}, {reader, false}, {operator, true}, {operator, false}} {
		if _, err := s.take(&caller{role: tt.role, fingerprint: fmt.Sprint(n)}, check); (err == nil) != tt.want {
			t.Errorf("%d: %v", n, err)
		}
	}
}

// TestFloodIsItsOwnVictim: however many handshakes one address begins, that of another one is not given up.
func TestFloodIsItsOwnVictim(t *testing.T) {
	g := newGate(Limits{}.filled(), time.Now, x509.NewCertPool())
	from := func(address string) *conn {
		return &conn{Conn: nothing{}, gate: g, address: netip.MustParseAddr(address)}
	}
	honest := from("192.0.2.1")
	g.queue(honest)
	for range 200 {
		victim, _ := g.queue(from("192.0.2.66"))
		if victim == honest {
			t.Fatal("the honest one is given up")
		}
		if victim != nil {
			g.forget(victim)
		}
	}
	if n := len(g.handshaking); n != g.limits.Handshakes {
		t.Errorf("%d handshakes", n)
	}
}

type nothing struct{ net.Conn }
