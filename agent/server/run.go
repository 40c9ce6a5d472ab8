package server

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"path/filepath"
	"sync"
	"time"

	"github.com/stele-os/stele/agent/plan"
	"github.com/stele-os/stele/agent/server/audit"
	"github.com/stele-os/stele/agent/server/events"
	"github.com/stele-os/stele/agent/server/identity"
	"github.com/stele-os/stele/agent/state"
)

const (
	// lookAgain is how often certificates are looked at although nothing has changed.
	lookAgain = 10 * time.Minute
	// listenAgain is how long after a failure.
	listenAgain = 5 * time.Second
)

// Run serves the API as the desired state says, until ctx ends. It waits for /var, where the machine's key is.
func Run(ctx context.Context, m *state.Machine, o Options) error {
	o = o.filled()
	var watching sync.WaitGroup
	defer watching.Wait()
	watching.Go(func() { events.Watch(ctx, m, o.Events) })
	if err := waitForVar(ctx, m); err != nil {
		return err
	}
	id, notes, err := identity.Open(identity.Options{Dir: filepath.Join(o.StateDir, "identity"), Now: o.Now, NotBefore: o.BuildTime.Add(-24 * time.Hour)})
	for _, note := range notes {
		o.Log.Warn("api: " + note)
		o.Events.Publish("api", "", note)
	}
	if err != nil {
		return err
	}
	trail := audit.Open(audit.Options{Dir: filepath.Join(o.StateDir, "audit"), Now: o.Now})
	defer trail.Close()
	r := &runner{server: newServer(m, o, id, trail)}
	defer r.stop()
	return r.run(ctx)
}

func waitForVar(ctx context.Context, m *state.Machine) error {
	for {
		_, mounted, changed := m.Storage.Watch()
		if mounted {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		}
	}
}

// runner keeps the listener as the desired state wants it. It belongs to Run's goroutine.
type runner struct {
	*server
	wanted  plan.API
	current *listening
	warned  string
}

func (r *runner) run(ctx context.Context) error {
	m := r.machine
	for {
		desired, _, desiredChanged := m.Desired.Watch()
		network, _, networkChanged := m.Network.Watch()
		clock, _, clockChanged := m.Clock.Watch()
		_ = clock // a clock that was set may have made a certificate old
		err := r.identity.SetNames(state.Hostname(desired, network), addresses(network))
		if err == nil {
			err = r.follow(ctx, desired.API)
		}
		r.look(err)
		again := time.NewTimer(lookAgain)
		if err != nil {
			again.Reset(listenAgain)
		}
		select {
		case <-ctx.Done():
			again.Stop()
			return ctx.Err()
		case <-desiredChanged:
		case <-networkChanged:
		case <-clockChanged:
		case <-again.C:
		}
		again.Stop()
	}
}

// follow makes the listener what is wanted.
func (r *runner) follow(ctx context.Context, want plan.API) error {
	if want == r.wanted && (r.current != nil || want.Port == 0) {
		return nil
	}
	if want.Port == 0 {
		r.stop()
		r.wanted = want
		return nil
	}
	authorities := x509.NewCertPool()
	if !authorities.AppendCertsFromPEM([]byte(want.ClientCAs)) {
		r.stop()
		return errors.New("cannot listen: spec.api.clientCAs holds no certificate")
	}
	if r.current != nil && r.wanted.Port == want.Port {
		r.current.trust(r.server, authorities)
		r.wanted = want
		return nil
	}
	r.stop()
	raw, err := r.options.Listen(ctx, want.Port)
	if err != nil {
		return fmt.Errorf("cannot listen on port %d: %w", want.Port, err)
	}
	r.current, r.wanted = r.serve(raw, authorities), want
	return nil
}

func (r *runner) stop() {
	if r.current != nil {
		r.current.stop(r.options.Limits.Farewell)
		r.current = nil
	}
}

// look publishes how things are, and says once what needs someone.
func (r *runner) look(err error) {
	if err := r.identity.Save(); err != nil {
		r.options.Log.Warn("api: " + err.Error())
	}
	r.publishWith(r.wanted.Port, err)
	status, statusErr := r.identity.Status()
	switch {
	case err != nil:
		r.warn("cannot serve the API: " + err.Error())
	case statusErr != nil:
		r.warn(statusErr.Error())
	default:
		r.warn(status.Warning)
	}
}

func (r *runner) warn(text string) {
	if text != "" && text != r.warned {
		r.options.Log.Warn("api: " + text)
		r.options.Events.Publish("api", "", text)
	}
	r.warned = text
}

// publish is publishWith for whoever changed the certificate.
func (s *server) publish() {
	now, _ := s.machine.API.Get()
	var err error
	if now.Error != "" {
		err = errors.New(now.Error)
	}
	s.publishWith(now.Port, err)
}

func (s *server) publishWith(port int, err error) {
	status, statusErr := s.identity.Status()
	if err == nil {
		err = statusErr
	}
	next := state.API{Port: port, Fingerprint: status.Fingerprint, SelfSigned: status.SelfSigned, NotAfter: status.NotAfter}
	if err != nil {
		next.Error, next.Port = err.Error(), 0
	}
	if old, ok := s.machine.API.Get(); !ok || old != next {
		s.machine.API.Set(next)
	}
}

// addresses are those by which others may reach the machine.
func addresses(n state.Network) []netip.Addr {
	var list []netip.Addr
	for _, l := range n.Links {
		for _, p := range l.Addresses {
			if a := p.Addr(); a.IsGlobalUnicast() {
				list = append(list, a)
			}
		}
	}
	return list
}

// listening is one open port.
type listening struct {
	front   *front
	gate    *gate
	http    *http.Server
	cancel  context.CancelFunc
	running sync.WaitGroup
}

func (s *server) serve(raw net.Listener, authorities *x509.CertPool) *listening {
	limits := s.options.Limits
	ctx, cancel := context.WithCancel(context.Background())
	l := &listening{gate: newGate(limits, s.options.Now, authorities), cancel: cancel}
	settings := tlsSettings(s.identity.Certificate, authorities, s.options.Now)
	l.front = newFront(raw, l.gate, limits, settings, s.refuseConnection)
	l.http = &http.Server{
		Handler:           http.HandlerFunc(s.serveHTTP),
		TLSConfig:         settings,
		ReadHeaderTimeout: limits.Header,
		IdleTimeout:       limits.Idle,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          log.New(io.Discard, "", 0), // what clients do wrong is theirs to know; panics are caught before
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ConnContext:       withConnection,
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams:          limits.ClientCalls,
			MaxDecoderHeaderTableSize:     4 << 10,
			MaxReadFrameSize:              16 << 10,
			MaxReceiveBufferPerConnection: pushDataBytes,
			MaxReceiveBufferPerStream:     pushDataBytes,
			SendPingTimeout:               30 * time.Second,
			PingTimeout:                   15 * time.Second,
			WriteByteTimeout:              limits.Write,
		},
	}
	l.running.Go(func() { l.front.run(ctx) })
	l.running.Go(func() { _ = l.http.Serve(l.front) })
	return l
}

// trust changes whose clients may call. The calls of those who may not any more get a moment: one of them may be the very call that did it.
func (l *listening) trust(s *server, authorities *x509.CertPool) {
	settings := tlsSettings(s.identity.Certificate, authorities, s.options.Now)
	l.front.settings.Store(settings)
	gone := l.gate.trust(authorities)
	if len(gone) == 0 {
		return
	}
	l.running.Go(func() {
		time.Sleep(s.options.Limits.Farewell)
		for _, c := range gone {
			_ = c.Close()
		}
	})
}

// stop ends everything. Calls in flight get a moment.
func (l *listening) stop(farewell time.Duration) {
	_ = l.front.Close()
	ctx, cancel := context.WithTimeout(context.Background(), farewell)
	defer cancel()
	if l.http.Shutdown(ctx) != nil {
		l.cancel()
		_ = l.http.Close()
	}
	l.cancel()
	l.running.Wait()
}
