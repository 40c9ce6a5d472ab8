package contexts

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/stele-os/stele/internal/hint"
)

// Selection is what the command line says about whom to call; each field may be empty.
type Selection struct {
	Context  string
	Nodes    []string
	Identity string
}

// Target is whom to call, and as whom.
type Target struct {
	Nodes    []Node
	Identity Identity
}

// Select resolves a selection: the context's nodes and identity, each replaced by what is said.
func (f *File) Select(s Selection) (Target, error) {
	var context Context
	if name := cmp.Or(s.Context, f.Current); name != "" {
		var err error
		if context, err = f.context(name); err != nil {
			return Target{}, err
		}
	}
	if len(s.Nodes) > 0 {
		context.Nodes = s.Nodes
	}
	context.Identity = cmp.Or(s.Identity, context.Identity)
	if len(context.Nodes) == 0 && len(f.Nodes) == 1 {
		context.Nodes = []string{f.Nodes[0].Name}
	}
	if context.Identity == "" && len(f.Identities) == 1 {
		context.Identity = f.Identities[0].Name
	}
	switch {
	case len(context.Nodes) == 0:
		return Target{}, hint.New(errors.New("it is not said which machine to call"), "name it with --node, or make a context: stele context set NAME --node NODE --identity IDENTITY")
	case context.Identity == "":
		return Target{}, hint.New(errors.New("it is not said who calls"), "name it with --identity, or make one: stele pki issue --role operator")
	}
	return f.resolve(context)
}

func (f *File) resolve(c Context) (Target, error) {
	identity, err := f.Identity(c.Identity)
	if err != nil {
		return Target{}, err
	}
	t := Target{Identity: identity}
	for _, name := range c.Nodes {
		node, err := f.Node(name)
		if err != nil {
			return Target{}, err
		}
		if (node.Fingerprint == "") == (node.CAFile == "") {
			return Target{}, fmt.Errorf("cannot call node %q: it needs exactly one of fingerprint and caFile", name)
		}
		t.Nodes = append(t.Nodes, node)
	}
	return t, nil
}

// RemoveNode, RemoveIdentity and RemoveContext report whether there was one.
func (f *File) RemoveNode(name string) bool { return remove(&f.Nodes, name, Node.name) }

// RemoveIdentity reports whether there was one.
func (f *File) RemoveIdentity(name string) bool { return remove(&f.Identities, name, Identity.name) }

// RemoveContext reports whether there was one.
func (f *File) RemoveContext(name string) bool {
	if f.Current == name {
		f.Current = ""
	}
	return remove(&f.Contexts, name, Context.name)
}

func remove[T any](items *[]T, name string, nameOf func(T) string) bool {
	var kept []T
	for _, item := range *items {
		if nameOf(item) != name {
			kept = append(kept, item)
		}
	}
	removed := len(kept) != len(*items)
	*items = kept
	return removed
}
