//go:build qemu

package qemu

import (
	"context"
	"path/filepath"
	"sync"
	"testing"
	"time"

	nodev1 "github.com/stele-os/stele/api/node/v1"
	"github.com/stele-os/stele/internal/vm"
	"github.com/stele-os/stele/operator/node"
	"github.com/stele-os/stele/test/faults"
	"github.com/stele-os/stele/test/qemu/machine"
	"github.com/stele-os/stele/test/versions"
)

// probation of the kit's documents.
const probation = 3 * time.Second

// kit is the lab of all tests of updates, made once: its versions depend on the image under test alone.
type kit struct{ *faults.Lab }

var theKit = sync.OnceValues(func() (*faults.Lab, error) { return newLab("versions") })

// newLab makes a lab in a directory below build/: the sources of agent and runc are looked for above it.
func newLab(dir string) (*faults.Lab, error) {
	repository, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		return nil, err
	}
	return faults.NewLab(context.Background(), repository, filepath.Join(repository, "build", dir), image)
}

// lab returns the lab.
func lab(t *testing.T) *faults.Lab {
	t.Helper()
	l, err := theKit()
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// ownUpdates is a kit with a repository of the test's own.
func ownUpdates(t *testing.T, name string) *kit {
	t.Helper()
	l, err := newLab("versions-" + name)
	if err != nil {
		t.Fatal(err)
	}
	return &kit{l}
}

// image builds a version, once.
func (k *kit) image(t *testing.T, v versions.Version) machine.Image {
	t.Helper()
	built, err := k.Image(t.Context(), v)
	if err != nil {
		t.Fatal(err)
	}
	return built
}

// publish builds a version and puts it into the repository.
func (k *kit) publish(t *testing.T, v versions.Version) machine.Image {
	t.Helper()
	built, err := k.PublishVersion(t.Context(), v)
	if err != nil {
		t.Fatal(err)
	}
	return built
}

// document is one with the API, the repository and quick gates; more are further lines of the spec.
func (k *kit) document(more string) []byte {
	return k.Document(faults.Gates{Probation: int(probation / time.Second), Deadline: 60}, more)
}

// options of a machine that takes updates by itself: through firmware, restarting, with a watchdog, the API and the repository.
func (k *kit) options(t *testing.T, more string) machine.Options {
	t.Helper()
	return machine.Options{
		Reboot: true, Watchdog: "reset", Document: k.document(more), Forwards: []vm.Forward{{Guest: machine.DemoPort}, {Guest: faults.APIPort}},
		GuestForwards: []vm.GuestForward{serve(t, faults.RepositoryAddress, k.Handler())},
	}
}

// node calls the machine as an operator, pinned by the fingerprint on its console.
func (k *kit) node(g *guest, role string) *node.Client {
	g.t.Helper()
	m := g.expect(`^stele: .*api: port \d+, fingerprint (SHA256:\S+)`)
	c, err := k.Client("guest", g.Address(faults.APIPort), m.Groups[1], role)
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
