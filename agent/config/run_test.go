package config

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stele-os/stele/agent/metadata"
	"github.com/stele-os/stele/agent/plan"
	"github.com/stele-os/stele/agent/slotstate"
	"github.com/stele-os/stele/agent/state"
)

const head = "apiVersion: stele/v1alpha1\nkind: Machine\n"

// document names a host, so that a test sees which document is in force.
func document(hostname string) []byte {
	return []byte(head + "spec: {hostname: " + hostname + "}\n")
}

// answer is what the source says from a moment on.
type answer struct {
	from     time.Duration
	userData []byte
	platform string // the platform's hostname
	err      error
	hangs    bool
}

// moment is how the machine is some time after the start.
type moment struct {
	at       time.Duration
	phase    state.DocumentPhase
	hostname string
	errors   string // joined by " | "
}

var (
	errGone    = fmt.Errorf("cannot find a metadata source: %w", metadata.ErrNotFound)
	errRefused = errors.New("connection refused")
	invalid    = []byte(head + "spec: {hostname: A, contaners: []}\n")
	problemsOf = `spec.contaners: unknown field: did you mean "containers"? (line 3:21 of test)`
)

func TestRun(t *testing.T) {
	for name, c := range map[string]struct {
		image   []byte
		kept    []byte // user-data of the last good document
		answers []answer
		want    []moment
	}{
		"metadata at once": {
			answers: []answer{{userData: document("user")}},
			want:    []moment{{0, state.DocumentApplied, "user", ""}},
		},
		"metadata without user-data: the image's document alone": {
			image:   document("image"),
			answers: []answer{{}},
			want:    []moment{{0, state.DocumentApplied, "image", ""}},
		},
		"no document at all: the platform's name": {
			answers: []answer{{platform: "VM-7"}},
			want:    []moment{{0, state.DocumentApplied, "vm-7", ""}},
		},
		"user over platform over image": {
			image:   document("image"),
			answers: []answer{{platform: "platform", userData: document("user")}},
			want:    []moment{{0, state.DocumentApplied, "user", ""}},
		},
		"platform over image": {
			image:   document("image"),
			answers: []answer{{platform: "platform"}},
			want:    []moment{{0, state.DocumentApplied, "platform", ""}},
		},
		"metadata comes late": {
			kept:    document("kept"),
			answers: []answer{{err: errRefused}, {from: 5 * time.Second, userData: document("user")}},
			want: []moment{
				{0, state.DocumentWaiting, "stele", "connection refused"},
				{10 * time.Second, state.DocumentApplied, "user", ""},
			},
		},
		"no source, no last good": {
			answers: []answer{{err: errGone}, {from: 10 * time.Minute, userData: document("user")}},
			want: []moment{
				{59 * time.Second, state.DocumentWaiting, "stele", errGone.Error()},
				{61 * time.Second, state.DocumentMissing, "stele", errGone.Error()},
				{11 * time.Minute, state.DocumentApplied, "user", ""},
			},
		},
		"no source, last good": {
			kept:    document("kept"),
			answers: []answer{{err: errGone}, {from: 10 * time.Minute, userData: document("user")}},
			want: []moment{
				{59 * time.Second, state.DocumentWaiting, "stele", errGone.Error()},
				{61 * time.Second, state.DocumentLastGood, "kept", ""},
				{9 * time.Minute, state.DocumentLastGood, "kept", ""},
				{11 * time.Minute, state.DocumentApplied, "user", ""},
			},
		},
		"last good does not suit any more": {
			kept:    invalid,
			answers: []answer{{err: errGone}},
			want: []moment{{61 * time.Second, state.DocumentMissing, "stele",
				errGone.Error() + " | cannot use the last good document: " + strings.Replace(problemsOf, "of test", "of last good document", 1)}},
		},
		"source hangs": {
			kept:    document("kept"),
			answers: []answer{{hangs: true}, {from: 30 * time.Second, userData: document("user")}},
			want: []moment{
				{59 * time.Second, state.DocumentWaiting, "stele", ""},
				{61 * time.Second, state.DocumentLastGood, "kept", ""},
				{92 * time.Second, state.DocumentApplied, "user", ""},
			},
		},
		"source hangs, no last good": {
			answers: []answer{{hangs: true}},
			want: []moment{
				{61 * time.Second, state.DocumentMissing, "stele", "no metadata source has answered within 1m0s"},
				{5 * time.Minute, state.DocumentMissing, "stele", "context deadline exceeded"},
			},
		},
		"invalid, no last good": {
			answers: []answer{{userData: invalid}, {from: 5 * time.Minute, userData: document("user")}},
			want: []moment{
				{0, state.DocumentInvalid, "stele", problemsOf},
				{4 * time.Minute, state.DocumentInvalid, "stele", problemsOf},
				{6 * time.Minute, state.DocumentApplied, "user", ""},
			},
		},
		"invalid, last good": {
			kept:    document("kept"),
			answers: []answer{{userData: invalid}},
			want: []moment{
				{0, state.DocumentInvalid, "kept", problemsOf},
				{4 * time.Minute, state.DocumentInvalid, "kept", problemsOf},
			},
		},
		"last good, then invalid": {
			kept:    document("kept"),
			answers: []answer{{err: errGone}, {from: 2 * time.Minute, userData: invalid}},
			want:    []moment{{3 * time.Minute, state.DocumentInvalid, "kept", problemsOf}},
		},
		"invalid, then gone": {
			answers: []answer{{userData: invalid}, {from: time.Second, err: errGone}},
			want:    []moment{{3 * time.Minute, state.DocumentInvalid, "stele", problemsOf}},
		},
		"the image's document is invalid": {
			image:   document("IMAGE"),
			answers: []answer{{}},
			want: []moment{{0, state.DocumentInvalid, "stele",
				`spec.hostname: "IMAGE" is not a host name: each part between dots has lower-case letters, digits and "-", and begins and ends with a letter or digit (line 3:8 of /usr/lib/stele/machine.yaml)`}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			documents := emptyStore(t)
			if c.kept != nil {
				if err := documents.keepLastGood(metadata.Result{Platform: "test", UserData: c.kept}); err != nil {
					t.Fatal(err)
				}
			}
			synctest.Test(t, func(t *testing.T) {
				var m state.Machine
				m.Storage.Set(state.Storage{})
				scenario(t, &m, Options{Image: c.image, Store: documents.store, Fetch: source(c.answers)}, c.want)
			})
		})
	}
}

// emptyStore keeps documents of slot a in a directory that is not there yet.
func emptyStore(t *testing.T) kept {
	t.Helper()
	return kept{store: slotstate.Store{Root: filepath.Join(t.TempDir(), "slots")}}
}

// source answers as the table says at the time.
func source(answers []answer) func(context.Context) (metadata.Result, error) {
	start := time.Now()
	return func(ctx context.Context) (metadata.Result, error) {
		now := answers[0]
		for _, a := range answers {
			if time.Since(start) >= a.from {
				now = a
			}
		}
		if now.hangs {
			<-ctx.Done()
			return metadata.Result{}, ctx.Err()
		}
		return metadata.Result{Platform: "test", Origin: "test", Hostname: now.platform, UserData: now.userData}, now.err
	}
}

// scenario runs the manager and looks at the machine at each moment.
func scenario(t *testing.T, m *state.Machine, o Options, want []moment) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	start := time.Now()
	go func() { done <- Run(ctx, m, o) }()
	for _, w := range want {
		time.Sleep(w.at - time.Since(start))
		synctest.Wait()
		document, _ := m.Document.Get()
		desired, _ := m.Desired.Get()
		if errs := strings.Join(document.Errors, " | "); document.Phase != w.phase || desired.Hostname != w.hostname || errs != w.errors {
			t.Errorf("after %s: %s, hostname %q, errors\n%s\nwant %s, hostname %q, errors\n%s", w.at, document.Phase, desired.Hostname, errs, w.phase, w.hostname, w.errors)
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestRunKeepsGoodDocument(t *testing.T) {
	documents := emptyStore(t)
	synctest.Test(t, func(t *testing.T) {
		var m state.Machine
		o := Options{Store: documents.store, Fetch: source([]answer{{userData: document("user"), platform: "vm"}})}
		go Run(t.Context(), &m, o)
		synctest.Wait()
		if desired, _ := m.Desired.Get(); desired.Hostname != "user" {
			t.Error("the document waits for /var")
		}
		if _, err := documents.lastGood(); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("written before /var is there: %v", err)
		}
		m.Storage.Set(state.Storage{})
		synctest.Wait()
	})
	got, err := documents.lastGood()
	if err != nil || string(got.UserData) != string(document("user")) || got.Hostname != "vm" {
		t.Errorf("%+v, %v", got, err)
	}
	if info, err := os.Stat(filepath.Join(documents.store.Dir(""), lastGoodFile)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

// The document that a version without slots kept is used by the first one with slots.
func TestRunTakesOverTheOldLastGood(t *testing.T) {
	legacy, documents := t.TempDir(), emptyStore(t)
	if err := os.WriteFile(filepath.Join(legacy, "last-good"), encodeMetadata(metadata.Result{Platform: "test", UserData: document("kept")}), 0o600); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		var m state.Machine
		m.Boot.Set(state.Boot{Slot: "b"})
		m.Storage.Set(state.Storage{})
		o := Options{Store: documents.store, Legacy: legacy, Fetch: source([]answer{{err: errGone}})}
		scenario(t, &m, o, []moment{{61 * time.Second, state.DocumentLastGood, "kept", ""}})
	})
}

// A manager that is started again must not take running containers away.
func TestRunAgainLeavesDesiredAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m state.Machine
		m.Desired.Set(plan.Desired{Hostname: "before"})
		m.Document.Set(state.Document{Phase: state.DocumentApplied})
		go Run(t.Context(), &m, Options{Store: emptyStore(t).store, Fetch: source([]answer{{err: errGone}})})
		synctest.Wait()
		if desired, _ := m.Desired.Get(); desired.Hostname != "before" {
			t.Errorf("hostname %q", desired.Hostname)
		}
	})
}

func TestRunSurvivesPanicOfSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m state.Machine
		fetch := func(context.Context) (metadata.Result, error) { panic("boom") }
		scenario(t, &m, Options{Store: emptyStore(t).store, Fetch: fetch}, []moment{{0, state.DocumentWaiting, "stele", "cannot fetch metadata: panic: boom"}})
	})
}

func TestBootstrap(t *testing.T) {
	got, err := plan.Plan(empty(), plan.Facts{})
	if err != nil || got.Hostname != "stele" || !got.Network.Default.DHCP4 || !got.Network.Default.IPv6Auto || got.Containers != nil {
		t.Errorf("%+v, %v", got, err)
	}
}
