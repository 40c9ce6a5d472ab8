package server

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"github.com/stele-os/stele/agent/server/audit"
)

// write adds to the audit log. Where that cannot be done, because /var is full or broken, the record goes to the agent's log, and the call
// goes on: who is to repair the machine has no other way in.
func (s *server) write(r audit.Record, change bool) {
	err := s.audit.Append(r, change)
	if err == nil {
		return
	}
	if ok, _ := s.unwritten.take(); ok {
		s.options.Log.Warn(fmt.Sprintf("api: %v: %s call %d of %s from %s: %s %s %s", err, r.Event, r.Call, r.Subject, r.Remote, short(r.Procedure), r.Request, r.Code))
	}
}

// tell puts a line into the agent's log and the event stream.
func (s *server) tell(line string) {
	s.options.Log.Info("api: " + line)
	s.options.Events.Publish("api", "", line)
}

// refuse records something that came to nothing. Anyone can cause such records, so there is a limit on how many a second; and on how many a
// minute become an event and a line of the agent's log, whose other lines they would push out.
func (s *server) refuse(r audit.Record) {
	allowed, missed := s.refusals.take()
	if missed > 0 {
		s.write(audit.Record{Event: "lost", Lost: missed}, false)
	}
	if !allowed {
		return
	}
	s.write(r, false)
	if r.Event == "handshake" && r.Serial == "" && own(r.Remote) { // the machine asks itself whether the API serves, and shows nothing (agent/update/gates)
		return
	}
	allowed, missed = s.alarms.take()
	if !allowed {
		return
	}
	what, whose := short(r.Procedure), ""
	if what == "" {
		what = "a connection"
	}
	if r.Subject != "" {
		whose = " of " + r.Subject
	}
	line := fmt.Sprintf("refused %s%s from %s: %s", what, whose, r.Remote, r.Error)
	if missed > 0 {
		line += fmt.Sprintf(" (and %d others before)", missed)
	}
	s.options.Log.Warn("api: " + line)
	s.options.Events.Publish("api", "", line)
}

// own tells whether an address is the loopback device's.
func own(remote string) bool {
	address, err := netip.ParseAddrPort(remote)
	return err == nil && address.Addr().Unmap().IsLoopback()
}

// refuseConnection records a connection that came to nothing.
func (s *server) refuseConnection(remote string, chain []*x509.Certificate, err error) {
	r := audit.Record{Event: "handshake", Remote: remote, Error: clean(err.Error())}
	var unverified *tls.CertificateVerificationError
	if errors.As(err, &unverified) {
		chain = unverified.UnverifiedCertificates
	}
	if len(chain) > 0 {
		r.Subject, r.Serial = clean(chain[0].Subject.String()), clean(chain[0].SerialNumber.Text(16))
	}
	s.refuse(r)
}

// budget bounds how often something is said: burst times, and once more after each period.
type budget struct {
	now    func() time.Time
	burst  int
	period time.Duration

	mu     sync.Mutex
	left   int
	at     time.Time
	missed int
}

func newBudget(now func() time.Time, burst int, period time.Duration) *budget {
	return &budget{now: now, burst: burst, period: period, left: burst, at: now()}
}

// take tells whether there is room, and then how many found none before.
func (b *budget) take() (ok bool, missed int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	if since := now.Sub(b.at); since >= b.period || since < 0 { // the clock may be set
		b.left = int(min(int64(b.burst), int64(b.left)+max(int64(since/b.period), 1)))
		b.at = now
	}
	if b.left == 0 {
		b.missed++
		return false, 0
	}
	b.left--
	missed, b.missed = b.missed, 0
	return true, missed
}
