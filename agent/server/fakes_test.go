package server

import (
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/stele-os/stele/agent/fault"
	"github.com/stele-os/stele/agent/state"
	"github.com/stele-os/stele/agent/update/repository"
)

// http1 is a transport that speaks HTTP/1.1.
func http1(f *fixture, c *tls.Certificate) *http.Transport {
	settings := clientSettings(c)
	settings.NextProtos = []string{"http/1.1"}
	transport := &http.Transport{TLSClientConfig: settings}
	f.t.Cleanup(transport.CloseIdleConnections)
	return transport
}

// fakeConfiguration holds one document.
type fakeConfiguration struct {
	mu       sync.Mutex
	document string
	caller   string
	cas      bool // the last caller may change CAs
	trial    time.Duration
}

func (c *fakeConfiguration) Get(secrets bool) (DocumentView, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !secrets {
		return DocumentView{Document: "masked", Effective: "masked"}, nil
	}
	return DocumentView{Document: c.document, Effective: c.document, Source: "API", Digest: "sha256:1"}, nil
}

func (*fakeConfiguration) Check(document []byte) (problems, changes []string) {
	if string(document) == "bad" {
		return []string{"line 1: bad"}, nil
	}
	return nil, []string{"container web: restarted"}
}

func (c *fakeConfiguration) Apply(_ context.Context, caller string, r DocumentRequest) (DocumentResult, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case string(r.Document) == "panic":
		panic("a bug")
	case r.IfDigest == "sha256:old":
		return DocumentResult{}, fault.New(fault.Aborted, "another document is in force")
	}
	c.document, c.caller, c.cas, c.trial = string(r.Document), caller, r.MayChangeCAs, r.TryFor
	return DocumentResult{Digest: "sha256:2", Changes: []string{"x"}, RevertAt: time.Unix(1, 0)}, nil
}

func (*fakeConfiguration) Confirm(_ context.Context, _, digest string) error {
	if digest == "" {
		return fault.New(fault.Precondition, "no document is on trial")
	}
	return nil
}

func (*fakeConfiguration) Revert(context.Context, string, RevertRequest) (string, error) {
	return "sha256:0", nil
}

// fakeUpdates stages what a source yields.
type fakeUpdates struct {
	machine *state.Machine
	block   chan struct{}

	mu     sync.Mutex
	caller string
	apply  ApplyRequest
	got    []byte
}

func (u *fakeUpdates) Check(context.Context) (CheckResult, error) {
	return CheckResult{Running: "1.0.0", Available: "1.1.0", Versions: []string{"1.0.0", "1.1.0"}, Bytes: 7}, nil
}

func (u *fakeUpdates) Stage(ctx context.Context, caller, version string) error {
	u.mu.Lock()
	u.caller = caller
	u.mu.Unlock()
	for done := range int64(4) {
		u.machine.Update.Set(state.Update{Activity: state.ActivityStaging, Progress: state.Progress{Version: version, Phase: "writing", Done: done, Total: 4}})
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-u.block:
		}
	}
	u.machine.Update.Set(state.Update{Progress: state.Progress{Version: version, Phase: "done", Done: 4, Total: 4}})
	return nil
}

func (u *fakeUpdates) Push(ctx context.Context, caller, version string, src repository.Source) error {
	if _, err := src.Open(ctx, "metadata/9.root.json", 0, -1); err == nil {
		return fault.New(fault.Internal, "a file that is not there was found")
	}
	var got []byte
	for _, part := range []struct{ offset, length int64 }{{0, 1000}, {1000, -1}} {
		r, err := src.Open(ctx, "targets/bundle", part.offset, part.length)
		if err != nil {
			return fault.As(fault.Invalid, err)
		}
		data, err := io.ReadAll(r)
		r.Close()
		if err != nil {
			return err
		}
		got = append(got, data...)
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.got, u.caller = got, caller
	u.machine.Update.Set(state.Update{Progress: state.Progress{Version: version, Phase: "done"}})
	return nil
}

func (u *fakeUpdates) Cancel(context.Context) error { return nil }

func (u *fakeUpdates) Apply(_ context.Context, caller string, r ApplyRequest) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.caller, u.apply = caller, r
	return nil
}

func (u *fakeUpdates) Commit(_ context.Context, _, version string) error {
	if version != "1.1.0" {
		return fault.New(fault.NotFound, "version %q is not on probation", version)
	}
	return nil
}

func (u *fakeUpdates) Rollback(context.Context, string, RollbackRequest) (string, error) {
	return "1.0.0", nil
}

// fakePower takes note.
type fakePower struct {
	mu   sync.Mutex
	done []string
}

func (p *fakePower) Shutdown(off bool, caller, reason string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done = append(p.done, map[bool]string{true: "off", false: "reboot"}[off]+" by "+caller+": "+reason)
	return nil
}

func (p *fakePower) Reset(_ context.Context, caller string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done = append(p.done, "reset by "+caller)
	return nil
}

type fakeContainers struct{}

func (fakeContainers) Restart(_ context.Context, name string) error {
	if name != "web" {
		return fault.New(fault.NotFound, "there is no container %q", name)
	}
	return nil
}
