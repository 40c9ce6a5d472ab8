// Package contexts keeps which machines an operator calls and as whom, in one file, as kubeconfig does:
//
//	current: lab
//	nodes:
//	  - {name: web-1, address: "192.0.2.10:7835", fingerprint: "SHA256:..."}
//	identities:
//	  - {name: alice, certificateFile: /home/alice/pki/alice.crt, keyFile: /home/alice/pki/alice.key}
//	contexts:
//	  - {name: lab, nodes: [web-1], identity: alice}
//
// A node is known by the fingerprint of its key (stele node trust) or by a CA. The file is read strictly and written whole or not at all, with
// mode 0600: identities may stand in it as PEM. It opens no connection.
package contexts

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/stele-os/stele/internal/atomicfile"
	"github.com/stele-os/stele/internal/hint"
	"github.com/stele-os/stele/internal/strictyaml"
)

// File is the content of the file.
type File struct {
	// Current context.
	Current    string     `yaml:"current,omitempty"`
	Nodes      []Node     `yaml:"nodes,omitempty"`
	Identities []Identity `yaml:"identities,omitempty"`
	Contexts   []Context  `yaml:"contexts,omitempty"`

	path string
}

// Node is one machine.
type Node struct {
	Name string `yaml:"name"`
	// Address is HOST:PORT.
	Address string `yaml:"address"`
	// Fingerprint of the machine's key, "SHA256:<base64>" (api/node/v1, Api.fingerprint). Exactly one of it and CAFile is given.
	Fingerprint string `yaml:"fingerprint,omitempty"`
	// CAFile holds the PEM certificates of the CA that signed the machine's certificate.
	CAFile string `yaml:"caFile,omitempty"`
	// ServerName in the machine's certificate, with CAFile. Default: the address's host.
	ServerName string `yaml:"serverName,omitempty"`
}

// Identity is who calls: files, or PEM in place.
type Identity struct {
	Name            string `yaml:"name"`
	CertificateFile string `yaml:"certificateFile,omitempty"`
	KeyFile         string `yaml:"keyFile,omitempty"`
	Certificate     string `yaml:"certificate,omitempty"`
	Key             string `yaml:"key,omitempty"`
}

// Context is a set of machines that one identity calls.
type Context struct {
	Name     string   `yaml:"name"`
	Nodes    []string `yaml:"nodes,omitempty"`
	Identity string   `yaml:"identity,omitempty"`
}

// DefaultPath is STELE_CONTEXTS, else stele/contexts.yaml in the user's configuration directory.
func DefaultPath() string {
	if path := os.Getenv("STELE_CONTEXTS"); path != "" {
		return path
	}
	dir, err := os.UserConfigDir()
	if err != nil {
		return "contexts.yaml"
	}
	return filepath.Join(dir, "stele", "contexts.yaml")
}

// Load reads the file at path; one that does not exist is empty.
func Load(path string) (*File, error) {
	f := &File{path: path}
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return f, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read contexts: %w", err)
	}
	if _, problems := strictyaml.Decode(data, f); problems != nil {
		p := problems[0]
		return nil, hint.New(fmt.Errorf("cannot read contexts: %s:%d:%d: %s: %s", path, p.Line, p.Column, p.Path, p.Message),
			"correct the file, or begin anew with: mv "+path+" "+path+".old")
	}
	return f, f.validate()
}

func (f *File) validate() error {
	for kind, names := range map[string][]string{
		"node": names(f.Nodes, Node.name), "identity": names(f.Identities, Identity.name), "context": names(f.Contexts, Context.name),
	} {
		slices.Sort(names)
		for i, name := range names {
			if name == "" {
				return fmt.Errorf("cannot use contexts in %q: one %s has no name", f.path, kind)
			}
			if i > 0 && names[i-1] == name {
				return fmt.Errorf("cannot use contexts in %q: there are two of %s %q", f.path, kind, name)
			}
		}
	}
	return nil
}

// Save writes the file.
func (f *File) Save() error {
	data, err := yaml.MarshalWithOptions(f, yaml.IndentSequence(true))
	if err != nil {
		return fmt.Errorf("cannot write contexts: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(f.path), 0o700); err != nil {
		return fmt.Errorf("cannot write contexts: %w", err)
	}
	return atomicfile.WriteMode(f.path, 0o600, int64(len(data)), func(file *os.File) error {
		_, err := file.Write(data)
		return err
	})
}

// Path is where the file lies.
func (f *File) Path() string { return f.path }

func (n Node) name() string     { return n.Name }
func (i Identity) name() string { return i.Name }
func (c Context) name() string  { return c.Name }

func names[T any](items []T, name func(T) string) []string {
	var all []string
	for _, item := range items {
		all = append(all, name(item))
	}
	return all
}

// put replaces the item of the same name, or appends.
func put[T any](items []T, item T, name func(T) string) []T {
	if i := slices.IndexFunc(items, func(old T) bool { return name(old) == name(item) }); i >= 0 {
		items[i] = item
		return items
	}
	return append(items, item)
}

// PutNode, PutIdentity and PutContext add or replace by name.
func (f *File) PutNode(n Node) { f.Nodes = put(f.Nodes, n, Node.name) }

// PutIdentity adds or replaces by name.
func (f *File) PutIdentity(i Identity) { f.Identities = put(f.Identities, i, Identity.name) }

// PutContext adds or replaces by name. The first one becomes the current one.
func (f *File) PutContext(c Context) {
	f.Contexts = put(f.Contexts, c, Context.name)
	f.Current = cmp.Or(f.Current, c.Name)
}

// Use makes a context the current one.
func (f *File) Use(name string) error {
	if _, err := f.context(name); err != nil {
		return err
	}
	f.Current = name
	return nil
}

func (f *File) context(name string) (Context, error) {
	return find(f.Contexts, name, Context.name, "context", "stele context set "+name+" --node NODE --identity IDENTITY")
}

// Node returns a node by name.
func (f *File) Node(name string) (Node, error) {
	return find(f.Nodes, name, Node.name, "node", "stele node trust "+name+" HOST:PORT")
}

// Identity returns an identity by name.
func (f *File) Identity(name string) (Identity, error) {
	return find(f.Identities, name, Identity.name, "identity", "stele pki issue --name "+name+" --role operator")
}

func find[T any](items []T, name string, nameOf func(T) string, kind, next string) (T, error) {
	if i := slices.IndexFunc(items, func(item T) bool { return nameOf(item) == name }); i >= 0 {
		return items[i], nil
	}
	var none T
	err := fmt.Errorf("there is no %s %q", kind, name)
	if known := names(items, nameOf); len(known) > 0 {
		return none, hint.New(err, fmt.Sprintf("known: %s; a new one comes with: %s", strings.Join(known, ", "), next))
	}
	return none, hint.New(err, "make one with: "+next)
}
