package config

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/stele-os/stele/agent/fault"
	"github.com/stele-os/stele/agent/plan"
	"github.com/stele-os/stele/agent/server"
	"github.com/stele-os/stele/agent/state"
)

// Manager keeps the machine under its document. Run is its loop; the other methods are the API's (server.Configuration), for any goroutine.
type Manager struct {
	runner *runner
	calls  chan *call
	// view is the document in force; nil: none.
	view state.Value[*candidate]
}

var _ server.Configuration = (*Manager)(nil)

// NewManager makes a manager; it does nothing before Run.
func NewManager(machine *state.Machine, o Options) *Manager {
	m := &Manager{calls: make(chan *call)}
	o = o.withDefaults()
	m.runner = &runner{machine: machine, options: o, view: &m.view, standing: standing{timeout: o.Timeout}}
	return m
}

// call is something that a caller wants done inside the loop.
type call struct {
	do   func(*runner) error
	err  error
	done chan struct{}
}

// answer does it. A caller is told also when do panics, which ends the loop.
func (c *call) answer(r *runner) {
	c.err = errors.New("cannot change the document: the configuration manager failed")
	defer close(c.done)
	c.err = c.do(r)
}

// ask has the loop do something and waits for it. Once the loop has taken it up the caller's leaving does not end it.
func (m *Manager) ask(ctx context.Context, do func(*runner) error) error {
	c := &call{do: do, done: make(chan struct{})}
	select {
	case m.calls <- c:
	case <-ctx.Done():
		return fault.New(fault.Unavailable, "cannot reach the configuration manager: %w", ctx.Err())
	}
	<-c.done
	return c.err
}

// Get returns the document in force. With secrets masked it is written anew, without comments: they may hold what was masked.
func (m *Manager) Get(secrets bool) (server.DocumentView, error) {
	c, _ := m.view.Get()
	if c == nil {
		return server.DocumentView{}, fault.New(fault.Precondition, "cannot show the document: none is in force yet")
	}
	view := server.DocumentView{Document: string(c.user), Source: c.source, Digest: c.digest}
	effective := c.effective
	if !secrets {
		effective = masked(effective)
		decoded, _ := Decode(c.user, c.source) // it was evaluated without problems
		text, err := encodeYAML(masked(decoded.Machine))
		if err != nil {
			return server.DocumentView{}, err
		}
		if view.Document = text; len(c.user) == 0 {
			view.Document = ""
		}
	}
	var err error
	view.Effective, err = encodeYAML(effective)
	return view, err
}

func encodeYAML(document any) (string, error) {
	text, err := yaml.MarshalWithOptions(document, yaml.IndentSequence(true), yaml.UseLiteralStyleIfMultiline(true))
	return string(text), err
}

// Check returns the problems of a document, and what it would change, in words.
func (m *Manager) Check(document []byte) (problems, changes []string) {
	facts, _ := m.runner.machine.Facts.Get()
	c := evaluateAPI(m.runner.options.Image, document, facts)
	if c.problems != nil {
		return plain(c.problems), nil
	}
	desired, _ := m.runner.machine.Desired.Get()
	return nil, plan.Changes(desired, c.desired)
}

// Apply puts a document in force, from now on and at the next boots of this slot. With tryFor it is taken back by itself.
func (m *Manager) Apply(ctx context.Context, caller string, q server.DocumentRequest) (result server.DocumentResult, err error) {
	q.Document = slices.Clone(q.Document)
	err = m.ask(ctx, func(r *runner) (err error) { result, err = r.apply(caller, q); return err })
	if err != nil {
		return server.DocumentResult{}, err
	}
	return result, nil
}

// Confirm ends a trial: the document stays. An empty digest means whichever is on trial.
func (m *Manager) Confirm(ctx context.Context, _, digest string) error {
	return m.ask(ctx, func(r *runner) error { return r.confirm(digest) })
}

// Revert ends a trial: the document before it is back; to metadata's it drops every document of the API.
func (m *Manager) Revert(ctx context.Context, caller string, q server.RevertRequest) (digest string, err error) {
	err = m.ask(ctx, func(r *runner) (err error) {
		if q.ToMetadata {
			digest, err = r.toMetadata(q.MayChangeCAs)
		} else {
			digest, err = r.revert(caller, q.MayChangeCAs)
		}
		return err
	})
	return digest, err
}

// plain are problems for an answer: all of them within bounds, each in the form for the console.
func plain(problems []Problem) []string {
	var all []string
	for i, p := range problems {
		if i == maxSentences {
			return append(all, "and more: correct these first")
		}
		all = append(all, p.Sentence())
	}
	return all
}

// invalidDocument is the error of a document with problems.
func invalidDocument(problems []Problem) error {
	return fault.New(fault.Invalid, "cannot apply the document: %s", strings.Join(plain(problems), "\n"))
}

// Run is NewManager and its Run, for a machine whose API does not change documents.
func Run(ctx context.Context, machine *state.Machine, o Options) error {
	return NewManager(machine, o).Run(ctx)
}
