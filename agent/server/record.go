package server

import (
	"crypto/x509"
	"errors"
	"fmt"
	"sync"
	"time"

	"crypto/tls"

	"github.com/stele-os/stele/agent/server/audit"
)

// write adds to the audit log. Where that cannot be done, because /var is full or broken, the record goes to the agent's log, and the call
// goes on: who is to repair the machine has no other way in.
func (s *server) write(r audit.Record, change bool) {
	err := s.audit.Append(r, change)
	if err != nil && s.refusals.allow() {
		s.options.Log.Warn(fmt.Sprintf("api: %v: %s call %d of %s from %s: %s %s %s", err, r.Event, r.Call, r.Subject, r.Remote, short(r.Procedure), r.Request, r.Code))
	}
}

// tell puts a line into the agent's log and the event stream.
func (s *server) tell(line string) {
	s.options.Log.Info("api: " + line)
	s.options.Events.Publish("api", "", line)
}

// refuse records something that came to nothing. Anyone can cause such records, so there is a limit on how many a second.
func (s *server) refuse(r audit.Record) {
	allowed, missed := s.refusals.take()
	if missed > 0 {
		s.write(audit.Record{Event: "lost", Lost: missed}, false)
	}
	if !allowed {
		return
	}
	s.write(r, false)
	line := fmt.Sprintf("refused %s from %s: %s", short(r.Procedure), r.Remote, r.Error)
	if r.Subject != "" {
		line = fmt.Sprintf("refused %s of %s from %s: %s", short(r.Procedure), r.Subject, r.Remote, r.Error)
	}
	s.options.Events.Publish("api", "", line)
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

const (
	budgetBurst  = 20
	budgetPeriod = time.Second // for one more
)

// budget bounds how often something is said.
type budget struct {
	now    func() time.Time
	mu     sync.Mutex
	left   int
	at     time.Time
	missed int
}

func newBudget(now func() time.Time) *budget { return &budget{now: now, left: budgetBurst, at: now()} }

func (b *budget) allow() bool {
	ok, _ := b.take()
	return ok
}

// take tells whether there is room, and then how many found none before.
func (b *budget) take() (ok bool, missed int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	if since := now.Sub(b.at); since >= budgetPeriod || since < 0 { // the clock may be set
		b.left = min(budgetBurst, b.left+int(max(since, budgetPeriod)/budgetPeriod))
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
