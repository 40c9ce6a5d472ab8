package server

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
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
	if _, err := m.Storage.Wait(ctx, nil); err != nil {
		return err
	}
	id, notes, err := identity.Open(identity.Options{Dir: filepath.Join(o.StateDir, "identity"), Now: o.Now, NotBefore: o.BuildTime.Add(-24 * time.Hour)})
	if get(&m.Storage).VarDevice == "" {
		notes = append(notes, "/var is in memory: the machine's key, and with it its fingerprint, is another one after the next boot")
	}
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
