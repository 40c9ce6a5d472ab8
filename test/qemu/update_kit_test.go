//go:build qemu

package qemu

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	nodev1 "github.com/stele-os/stele/api/node/v1"
	"github.com/stele-os/stele/internal/vm"
	"github.com/stele-os/stele/operator/node"
	"github.com/stele-os/stele/test/qemu/machine"
	"github.com/stele-os/stele/test/site"
	"github.com/stele-os/stele/test/versions"
)

// apiPort is the default of spec.api.port.
const apiPort = 7835

// repositoryAddress is where machines find the site's repository.
const repositoryAddress = "10.0.2.100:80"

// kit is a site and versions of the demo image, made once for all tests and kept beside the image under test: they depend on it alone.
type kit struct {
	*site.Site
	builder versions.Builder
	images  map[string]machine.Image
	lock    sync.Mutex
}

var theKit = sync.OnceValues(func() (*kit, error) {
	repository, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(repository, "build", "versions") // the sources of agent and runc are looked for above it
	if err := os.RemoveAll(dir); err != nil {
		return nil, err
	}
	s, err := site.Open(context.Background(), filepath.Join(dir, "site"))
	if err != nil {
		return nil, err
	}
	return &kit{Site: s, images: map[string]machine.Image{}, builder: versions.Builder{
		Repository: repository, Dir: dir, Kernel: image.File("vmlinuz"), UpdateRoot: s.UpdateRoot(),
	}}, nil
})

// updates returns the kit.
func updates(t *testing.T) *kit {
	t.Helper()
	k, err := theKit()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// image builds a version, once.
func (k *kit) image(t *testing.T, v versions.Version) machine.Image {
	t.Helper()
	k.lock.Lock()
	defer k.lock.Unlock()
	if built, ok := k.images[v.Number]; ok {
		return built
	}
	built, err := k.builder.Build(t.Context(), v)
	if err != nil {
		t.Fatal(err)
	}
	k.images[v.Number] = built
	return built
}

// publish builds a version and puts it into the repository.
func (k *kit) publish(t *testing.T, v versions.Version) machine.Image {
	t.Helper()
	built := k.image(t, v)
	if err := k.Publish(t.Context(), built, ""); err != nil {
		t.Fatal(err)
	}
	return built
}

// document is one with the API, the repository and quick gates; more are further lines of the spec.
func (k *kit) document(more string) []byte {
	ca := strings.ReplaceAll(strings.TrimSpace(k.ClientCAs), "\n", "\n    ")
	return document("api:\n  clientCAs: |\n    " + ca +
		"\nupdate: {repository: {url: \"http://" + repositoryAddress + "\"}, probationSeconds: 3, deadlineSeconds: 60}\n" + more)
}

// options of a machine that takes updates by itself: through firmware, restarting, with a watchdog, the API and the repository.
func (k *kit) options(t *testing.T, more string) machine.Options {
	t.Helper()
	return machine.Options{
		Reboot: true, Watchdog: "reset", Document: k.document(more), Forwards: []vm.Forward{{Guest: machine.DemoPort}, {Guest: apiPort}},
		GuestForwards: []vm.GuestForward{serve(t, repositoryAddress, k.Handler())},
	}
}

// node calls the machine as an operator, pinned by the fingerprint on its console.
func (k *kit) node(g *guest, role string) *node.Client {
	g.t.Helper()
	m := g.expect(`^stele: .*api: port \d+, fingerprint (SHA256:\S+)`)
	c, err := k.Client("guest", g.Address(apiPort), m.Groups[1], role)
	if err != nil {
		g.t.Fatal(err)
	}
	g.t.Cleanup(c.Close)
	return c
}

// status asks until the machine answers.
func (g *guest) status(c *node.Client) *nodev1.StatusResponse {
	g.t.Helper()
	ctx, cancel := g.context()
	defer cancel()
	for {
		attempt, end := context.WithTimeout(ctx, 5*time.Second)
		s, err := node.Ask(attempt, c.Machine.Status, &nodev1.StatusRequest{})
		end()
		if err == nil {
			return s
		}
		select {
		case <-ctx.Done():
			g.t.Fatalf("no status: %v", node.Explain("guest", err))
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// stage stages a version from the repository.
func (g *guest) stage(c *node.Client, version string) error {
	ctx, cancel := context.WithTimeout(g.t.Context(), 3*time.Minute)
	defer cancel()
	_, err := c.Stage(ctx, version, nil, func(*nodev1.Progress) {})
	return node.Explain("guest", err)
}

// apply restarts into the staged version and waits until it is committed, or the machine is back; that is a *node.RolledBackError.
func (g *guest) apply(c *node.Client, version string) error {
	g.t.Helper()
	ctx, cancel := context.WithTimeout(g.t.Context(), 4*time.Minute)
	defer cancel()
	before := g.status(c).GetBoots()[0].GetId()
	if _, err := node.Ask(ctx, c.Updates.Apply, &nodev1.ApplyUpdateRequest{Version: version, Reason: g.t.Name()}); err != nil {
		return node.Explain("guest", err)
	}
	return c.WaitCommitted(ctx, version, before, func(w node.Waiting) { g.t.Logf("%s: %s", w.Phase, w.Text) })
}
