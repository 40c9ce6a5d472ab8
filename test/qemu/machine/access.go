package machine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/stele-os/stele/internal/vm"
	"github.com/stele-os/stele/operator/contexts"
	"github.com/stele-os/stele/operator/pki"
)

// DefaultAPIPort of machines whose document gives none (agent/plan.DefaultAPIPort).
const DefaultAPIPort = 7835

// localName is the identity and the context of machines that `stele run` starts.
const localName = "local"

// localTTL of the identity: each run issues a new one.
const localTTL = 7 * 24 * time.Hour

// access is how a person calls a machine that `stele run` started: a CA, an identity and a contexts file on this computer, which lie with the
// machine unless another contexts file was asked for.
type access struct {
	// Contexts is the file's path; the CA is the pki directory beside it, as for `stele pki`.
	Contexts string
	// Node is the machine's name in it.
	Node string
}

// prepare makes the CA, or uses the one that is there, issues the identity and returns the CA's certificate for spec.api.clientCAs.
func (a access) prepare(now time.Time) (clientCAs string, err error) {
	dir := filepath.Join(filepath.Dir(a.Contexts), "pki")
	authority, err := pki.Load(dir)
	if errors.Is(err, fs.ErrNotExist) {
		authority, err = pki.Init(dir, "local machines", 5*365*24*time.Hour, now)
	}
	if err != nil {
		return "", err
	}
	certificate, key, err := authority.Issue(pki.Client{Name: localName, Role: "admin", Lifetime: localTTL}, now)
	if err != nil {
		return "", err
	}
	err = a.edit(func(f *contexts.File) {
		f.PutIdentity(contexts.Identity{Name: localName, Certificate: string(certificate), Key: string(key)})
	})
	if err != nil {
		return "", err
	}
	ca, err := os.ReadFile(filepath.Join(dir, pki.CertificateFile))
	return string(ca), err
}

// trust pins the machine's key, and puts the machine into the context of all that were started with this file.
func (a access) trust(address, fingerprint string) error {
	return a.edit(func(f *contexts.File) {
		f.PutNode(contexts.Node{Name: a.Node, Address: address, Fingerprint: fingerprint})
		context := contexts.Context{Name: localName, Identity: localName}
		if i := slices.IndexFunc(f.Contexts, func(c contexts.Context) bool { return c.Name == localName }); i >= 0 {
			context.Nodes = f.Contexts[i].Nodes
		}
		if !slices.Contains(context.Nodes, a.Node) {
			context.Nodes = append(context.Nodes, a.Node)
		}
		f.PutContext(context)
	})
}

func (a access) edit(change func(*contexts.File)) error {
	file, err := contexts.Load(a.Contexts)
	if err != nil {
		return err
	}
	change(file)
	return file.Save()
}

// withAPI adds to the demo's document who may call, the repository that `stele repo serve` serves on this computer, and quick proof of a new version.
func withAPI(document []byte, clientCAs string) []byte {
	ca := strings.ReplaceAll(strings.TrimSpace(clientCAs), "\n", "\n      ")
	return fmt.Appendf(slices.Clone(document), "  api:\n    clientCAs: |\n      %s\n  update:\n    repository: {url: %q}\n    probationSeconds: 5\n", ca, hostRepository)
}

// hostRepository is where a machine of `stele run` finds what its host serves at 127.0.0.1:8000: QEMU's user network has the host at 10.0.2.2.
const hostRepository = "http://10.0.2.2:8000/"

// apiPort of a document; 0 where the API does not listen. What the document is otherwise is the machine's to judge.
func apiPort(document []byte) int {
	var d struct {
		Spec struct {
			API *struct {
				Port int `yaml:"port"`
			} `yaml:"api"`
		} `yaml:"spec"`
	}
	if err := yaml.Unmarshal(document, &d); err != nil || d.Spec.API == nil {
		return 0
	}
	return cmp.Or(d.Spec.API.Port, DefaultAPIPort)
}

// reach waits for the API's key on the console, and says how the person calls it.
func (o *RunOptions) reach(ctx context.Context, m *vm.VM) ([]string, error) {
	line, err := m.Expect(ctx, `^stele: .*api: (?:port \d+, fingerprint (SHA256:\S+)|(.*))`)
	if err != nil {
		return nil, fmt.Errorf("cannot find the API's key on the console: %w", err)
	}
	fingerprint, failure := line.Groups[1], line.Groups[2]
	if fingerprint == "" {
		return []string{failure}, nil
	}
	address := m.Address(o.apiPort)
	if o.access != nil {
		if err := o.access.trust(address, fingerprint); err != nil {
			return nil, err
		}
	}
	return o.howToAsk(address, fingerprint, o.access), nil
}

func (o *RunOptions) howToAsk(address, fingerprint string, ready *access) []string {
	if ready == nil {
		return []string{address, fmt.Sprintf("%s node trust %s %s --fingerprint %s", o.program(), o.node(), address, fingerprint)}
	}
	return []string{address + ", ask it with", "export STELE_CONTEXTS=" + ready.Contexts, o.program() + " node status --node " + ready.Node}
}

func (o *RunOptions) program() string { return cmp.Or(o.Program, "stele") }
func (o *RunOptions) node() string    { return cmp.Or(o.Node, "demo") }
