package command

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/timestamppb"

	nodev1 "github.com/stele-os/stele/api/node/v1"
	"github.com/stele-os/stele/operator/contexts"
	"github.com/stele-os/stele/operator/node"
	"github.com/stele-os/stele/operator/pki"
)

var at = timestamppb.New(time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC))

// agent is a machine as its API shows it, over TLS with client certificates; it has the state that commands ask for and change.
type agent struct {
	nodev1.UnimplementedMachineServiceHandler
	nodev1.UnimplementedConfigServiceHandler
	nodev1.UnimplementedUpdateServiceHandler
	nodev1.UnimplementedLogServiceHandler
	lock sync.Mutex
	// boots begins with the present one.
	boots           []*nodev1.Boot
	running, staged string
	sick            map[string]string // versions that are not kept, and why
	staging         chan struct{}     // a staging that waits
}

func (a *agent) Status(context.Context, *connect.Request[nodev1.StatusRequest]) (*connect.Response[nodev1.StatusResponse], error) {
	a.lock.Lock()
	defer a.lock.Unlock()
	return connect.NewResponse(&nodev1.StatusResponse{
		Machine: &nodev1.Machine{Hostname: "web-1"}, Running: &nodev1.Version{Image: "demo", Version: a.running, Slot: "a", Committed: true},
		Boots: a.boots, Health: &nodev1.Health{Phase: "running"}, Update: &nodev1.Update{Activity: "idle"},
		Slots: []*nodev1.Slot{{Name: "b", Version: a.staged, Condition: "staged"}},
	}), nil
}

func (a *agent) WatchEvents(_ context.Context, _ *connect.Request[nodev1.WatchEventsRequest], out *connect.ServerStream[nodev1.Event]) error {
	return errors.Join(out.Send(&nodev1.Event{Time: at, Kind: "machine", Message: "running"}),
		out.Send(&nodev1.Event{Time: at, Kind: "container", Object: "web", Message: "\x1b[2Jready"}))
}

func (a *agent) Read(_ context.Context, r *connect.Request[nodev1.LogReadRequest], out *connect.ServerStream[nodev1.LogEntry]) error {
	if r.Msg.Source == nodev1.LogReadRequest_SOURCE_AUDIT {
		return connect.NewError(connect.CodePermissionDenied, errors.New("LogService/Read of the audit log asks for the role admin"))
	}
	return errors.Join(out.Send(&nodev1.LogEntry{Time: at, Line: "one " + r.Msg.Container, Partial: true}), out.Send(&nodev1.LogEntry{Time: at, Line: ", and its end"}))
}

func (a *agent) Check(_ context.Context, r *connect.Request[nodev1.CheckConfigRequest]) (*connect.Response[nodev1.CheckConfigResponse], error) {
	if r.Msg.Document == "bad" {
		return connect.NewResponse(&nodev1.CheckConfigResponse{Errors: []string{"spec.hostnme: unknown field"}}), nil
	}
	return connect.NewResponse(&nodev1.CheckConfigResponse{}), nil
}

func (a *agent) Apply(_ context.Context, r *connect.Request[nodev1.ApplyConfigRequest]) (*connect.Response[nodev1.ApplyConfigResponse], error) {
	answer := &nodev1.ApplyConfigResponse{Changes: []string{"hostname: becomes " + r.Msg.Document}}
	if r.Msg.TryFor != nil {
		answer.RevertAt = timestamppb.New(at.AsTime().Add(r.Msg.TryFor.AsDuration()))
	}
	return connect.NewResponse(answer), nil
}

// updates is the agent's other half: both have methods Check and Apply.
type updates struct {
	nodev1.UnimplementedUpdateServiceHandler
	*agent
}

func (u updates) Stage(ctx context.Context, r *connect.Request[nodev1.StageUpdateRequest], out *connect.ServerStream[nodev1.StageUpdateResponse]) error {
	if err := out.Send(&nodev1.StageUpdateResponse{Progress: &nodev1.Progress{Phase: "writing", Version: r.Msg.Version, DoneBytes: 5 << 20, TotalBytes: 10 << 20}}); err != nil {
		return err
	}
	if u.staging != nil {
		close(u.staging)
		<-ctx.Done()
		return ctx.Err()
	}
	u.lock.Lock()
	defer u.lock.Unlock()
	u.staged = r.Msg.Version
	return nil
}

// Apply restarts at once; a sick version is left again.
func (u updates) Apply(_ context.Context, r *connect.Request[nodev1.ApplyUpdateRequest]) (*connect.Response[nodev1.ApplyUpdateResponse], error) {
	u.lock.Lock()
	defer u.lock.Unlock()
	if reason := u.sick[u.staged]; reason != "" {
		u.boots = append([]*nodev1.Boot{{Id: "back", Version: u.running}, {Id: "tried", Version: u.staged, Reason: reason}}, u.boots...)
	} else {
		u.boots = append([]*nodev1.Boot{{Id: "new", Version: u.staged}}, u.boots...)
		u.running = u.staged
	}
	return connect.NewResponse(&nodev1.ApplyUpdateResponse{}), nil
}

func (u updates) Check(context.Context, *connect.Request[nodev1.CheckUpdateRequest]) (*connect.Response[nodev1.CheckUpdateResponse], error) {
	return connect.NewResponse(&nodev1.CheckUpdateResponse{Running: "1.0.0", Available: "1.1.0", Bytes: 3 << 20}), nil
}

func (u updates) Rollback(context.Context, *connect.Request[nodev1.RollbackUpdateRequest]) (*connect.Response[nodev1.RollbackUpdateResponse], error) {
	u.lock.Lock()
	defer u.lock.Unlock()
	u.boots = append([]*nodev1.Boot{{Id: "older", Version: "0.9.0"}}, u.boots...)
	u.running = "0.9.0"
	return connect.NewResponse(&nodev1.RollbackUpdateResponse{ToVersion: "0.9.0"}), nil
}

// serve lets the agent listen, with callers of a CA, and returns a contexts.Node for it.
func (a *agent) serve(t *testing.T, name string, authority *pki.Authority) contexts.Node {
	t.Helper()
	if a.running == "" {
		a.running, a.boots = "1.0.0", []*nodev1.Boot{{Id: "first", Version: "1.0.0"}}
	}
	mux := http.NewServeMux()
	mux.Handle(nodev1.NewMachineServiceHandler(a))
	mux.Handle(nodev1.NewConfigServiceHandler(a))
	mux.Handle(nodev1.NewLogServiceHandler(a))
	mux.Handle(nodev1.NewUpdateServiceHandler(updates{agent: a}))
	server := httptest.NewUnstartedServer(mux)
	server.EnableHTTP2 = true
	server.TLS = &tls.Config{MinVersion: tls.VersionTLS13, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: x509.NewCertPool()}
	server.TLS.ClientCAs.AddCert(authority.Certificate)
	server.Config.ErrorLog = quiet
	server.StartTLS()
	t.Cleanup(server.Close)
	return contexts.Node{Name: name, Address: server.Listener.Addr().String(), Fingerprint: node.Fingerprint(server.Certificate())}
}

// desk is where a person sits: a CA, a contexts file with one identity.
type desk struct {
	t         *testing.T
	authority *pki.Authority
	dir       string
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{t: t, dir: t.TempDir()}
	t.Setenv("STELE_CONTEXTS", filepath.Join(d.dir, "contexts.yaml"))
	var err error
	if d.authority, err = pki.Init(filepath.Join(d.dir, "pki"), "operators", time.Hour, time.Now()); err != nil {
		t.Fatal(err)
	}
	d.identity("alice", time.Now())
	return d
}

func (d *desk) edit(change func(*contexts.File)) {
	d.t.Helper()
	if err := edit(func(f *contexts.File) error { change(f); return nil }); err != nil {
		d.t.Fatal(err)
	}
}

// identity issues one for five minutes, from a moment on.
func (d *desk) identity(name string, from time.Time) {
	d.t.Helper()
	certificate, key, err := d.authority.Issue(pki.Client{Name: name, Role: "operator", Lifetime: 5 * time.Minute}, from)
	if err != nil {
		d.t.Fatal(err)
	}
	d.edit(func(f *contexts.File) {
		f.PutIdentity(contexts.Identity{Name: name, Certificate: string(certificate), Key: string(key)})
	})
}

// machine adds a machine to the contexts file, and to the context.
func (d *desk) machine(n contexts.Node) {
	d.edit(func(f *contexts.File) {
		f.PutNode(n)
		c := contexts.Context{Name: "lab", Identity: "alice"}
		if len(f.Contexts) > 0 {
			c.Nodes = f.Contexts[0].Nodes
		}
		c.Nodes = append(c.Nodes, n.Name)
		f.PutContext(c)
	})
}

func (d *desk) file(name, text string) string {
	d.t.Helper()
	path := filepath.Join(d.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		d.t.Fatal(err)
	}
	return path
}

// stele runs a command of `stele node` and returns what it prints; of an error its text and its hint.
func (d *desk) stele(ctx context.Context, args ...string) (out, failed string) {
	command := Node()
	command.SilenceUsage, command.SilenceErrors = true, true
	var both bytes.Buffer
	command.SetOut(&both)
	command.SetErr(&both)
	command.SetArgs(args)
	err := command.ExecuteContext(ctx)
	if err == nil {
		return both.String(), ""
	}
	failed = err.Error()
	var hinted interface{ Hint() string }
	if errors.As(err, &hinted) {
		failed += "\nhint: " + hinted.Hint()
	}
	return both.String(), failed
}
