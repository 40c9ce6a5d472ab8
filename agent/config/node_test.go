package config

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stele-os/stele/agent/fault"
	"github.com/stele-os/stele/agent/server"
	"github.com/stele-os/stele/agent/state"
)

// node is a machine that can be booted again: its store stays.
type node struct {
	t       *testing.T
	options Options
	machine *state.Machine
	*Manager
	stop func()
}

// inNode boots a machine in a bubble of synthetic time, with a source that answers as said.
func inNode(t *testing.T, answers []answer, do func(n *node)) {
	t.Helper()
	documents := emptyStore(t)
	synctest.Test(t, func(t *testing.T) {
		n := &node{t: t, options: Options{Store: documents.store}}
		n.boot(answers...)
		do(n)
		n.stop()
	})
}

// boot starts the machine; a second time it is a restart.
func (n *node) boot(answers ...answer) {
	if n.stop != nil {
		n.stop()
	}
	n.options.Fetch = source(answers)
	n.machine = &state.Machine{}
	n.machine.Boot.Set(state.Boot{Slot: "b"})
	n.Manager = NewManager(n.machine, n.options)
	n.machine.Storage.Set(state.Storage{VarDevice: "/dev/vda6"})
	n.run()
}

func (n *node) run() {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := n.Manager.Run(ctx); err != nil {
			n.t.Error(err)
		}
	}()
	n.stop = func() { cancel(); <-ended }
	synctest.Wait()
}

func (n *node) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// apply applies a document as an admin, for good or on trial.
func (n *node) apply(document []byte, tryFor time.Duration) server.DocumentResult {
	n.t.Helper()
	result, err := n.Apply(n.t.Context(), "CN=alice", server.DocumentRequest{Document: document, TryFor: tryFor, MayChangeCAs: true})
	if err != nil {
		n.t.Fatal(err)
	}
	synctest.Wait()
	return result
}

// expect checks which document is in force.
func (n *node) expect(when string, phase state.DocumentPhase, hostname, source string) state.Document {
	n.t.Helper()
	synctest.Wait()
	d, _ := n.machine.Document.Get()
	desired, _ := n.machine.Desired.Get()
	if d.Phase != phase || desired.Hostname != hostname || d.Source != source {
		n.t.Errorf("%s: %s, hostname %q, source %q, errors %q; want %s, %q, %q", when, d.Phase, desired.Hostname, d.Source, d.Errors, phase, hostname, source)
	}
	return d
}

// fails checks an error's kind.
func (n *node) fails(what string, err error, kind fault.Kind) {
	n.t.Helper()
	if err == nil || fault.KindOf(err) != kind {
		n.t.Errorf("%s: %v is of kind %s, want %s", what, err, fault.KindOf(err), kind)
	}
}

var (
	fromMetadata = []answer{{userData: document("metadata")}}
	noMetadata   = []answer{{err: errGone}}
)
