// Package delivery lets both ends of an update meet: what builder/repository publishes, agent/update/repository reads through a web server.
// The two are tested apart everywhere else; here no file is made by a test.
package delivery

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	machine "github.com/stele-os/stele/agent/update/repository"
	"github.com/stele-os/stele/builder/repository"
	"github.com/stele-os/stele/builder/repository/testimage"
	"github.com/stele-os/stele/internal/bundle"
)

var start = time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)

// delivery is a repository behind a web server, and a machine that looks into it again and again.
type delivery struct {
	t      *testing.T
	o      repository.Options
	now    time.Time
	client *machine.Client
	source machine.Source
}

func newDelivery(t *testing.T) *delivery {
	d := &delivery{t: t, now: start}
	d.o = repository.Options{Dir: filepath.Join(t.TempDir(), "updates"), Now: func() time.Time { return d.now }, Expires: repository.DefaultExpires()}
	keys := filepath.Join(t.TempDir(), "keys")
	d.o.Keys = &repository.Keyring{Unencrypted: true, Random: rand.Reader}
	d.must(d.o.Keys.Add(t.Context(), keys))
	d.must(repository.Init(t.Context(), d.o, map[string]repository.RoleKeys{"root": {Make: 3, Threshold: 2}}))
	root, err := os.ReadFile(d.root())
	d.must(err)
	d.client, err = machine.Open(machine.Options{Root: root, Dir: t.TempDir(), Now: d.o.Now, BuildTime: start})
	d.must(err)
	server := httptest.NewServer(http.FileServer(http.Dir(d.o.Dir)))
	t.Cleanup(server.Close)
	source, err := machine.NewHTTP(machine.HTTPOptions{URL: server.URL})
	d.must(err)
	t.Cleanup(source.Close)
	d.source = source
	return d
}

func (d *delivery) root() string { return filepath.Join(d.o.Dir, "metadata", "1.root.json") }

func (d *delivery) must(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

func (d *delivery) change(do func(ctx context.Context, r *repository.Repository) error) {
	d.t.Helper()
	r, err := repository.Open(d.o)
	d.must(err)
	defer r.Close()
	d.must(do(d.t.Context(), r))
}

func (d *delivery) publish(version string) {
	d.t.Helper()
	dir := d.t.TempDir()
	d.must(testimage.Write(d.t.Context(), dir, testimage.Image{Name: "demo", Version: version, Architecture: "x86_64", Root: d.root()}))
	d.change(func(ctx context.Context, r *repository.Repository) error {
		_, err := r.Publish(ctx, dir, repository.PublishOptions{})
		return err
	})
}

// takes returns what a machine that runs a version would take, or nothing.
func (d *delivery) takes(running string) machine.Choice {
	d.t.Helper()
	targets, err := d.client.Refresh(d.t.Context(), d.source)
	d.must(err)
	return machine.Select(targets, machine.Machine{Image: "demo", Architecture: "x86_64", Version: running, RootHash: strings.Repeat("0", 64)}, "")
}

func (d *delivery) expect(running, want string) {
	d.t.Helper()
	if got := d.takes(running).Target.Info.Version; got != want {
		d.t.Errorf("a machine with %s takes %q, want %q", running, got, want)
	}
}

// TestMachinesFollowTheRepository goes through a repository's life: a machine that looks after each command follows.
func TestMachinesFollowTheRepository(t *testing.T) {
	d := newDelivery(t)
	d.expect("1.0.0", "")
	d.publish("1.0.0")
	d.expect("1.0.0", "")
	d.publish("1.1.0~rc1")
	d.expect("1.0.0", "1.1.0~rc1")
	d.publish("1.1.0")
	d.expect("1.1.0~rc1", "1.1.0")
	d.change(func(ctx context.Context, r *repository.Repository) error {
		return r.Rotate(ctx, []repository.Rotation{{Role: "targets"}, {Role: "snapshot"}, {Role: "timestamp"}, {Role: "root", Add: true, Threshold: 3}})
	})
	d.expect("1.0.0", "1.1.0")
	d.publish("1.2.0")
	d.expect("1.0.0", "1.2.0")
	d.change(func(ctx context.Context, r *repository.Repository) error {
		_, err := r.Remove(ctx, repository.Selector{Version: "1.2.0"}, false)
		return err
	})
	d.expect("1.0.0", "1.1.0")

	d.now = start.AddDate(3, 0, 0) // everything has expired
	if _, err := d.client.Refresh(t.Context(), d.source); err == nil {
		t.Error("expired metadata is taken")
	}
	d.change(func(ctx context.Context, r *repository.Repository) error { return r.Expire(ctx, repository.Roles) })
	d.expect("1.0.0", "1.1.0")
}

// TestBundleArrives fetches a bundle as a machine does: the table, then each frame, and has the image's files.
func TestBundleArrives(t *testing.T) {
	d := newDelivery(t)
	d.publish("1.1.0")
	target := d.takes("1.0.0").Target
	info := target.Info
	index, err := bundle.ReadTable(d.read(target.Path, info.Table.Offset, info.Table.Length), info)
	d.must(err)
	parts := map[bundle.PartName][]byte{}
	for c := range index.Chunks() {
		plain, err := c.Open(d.read(target.Path, c.FileOffset, int64(c.FrameBytes)), nil)
		d.must(err)
		parts[c.Part] = append(parts[c.Part], plain...)
	}
	for _, name := range []bundle.PartName{bundle.UKI, bundle.Verity, bundle.Root} {
		if sum := sha256.Sum256(parts[name]); hex.EncodeToString(sum[:]) != info.Part(name).SHA256 {
			t.Errorf("%s did not arrive", name)
		}
	}
}

func (d *delivery) read(path string, offset, length int64) []byte {
	d.t.Helper()
	r, err := d.source.Open(d.t.Context(), path, offset, length)
	d.must(err)
	defer r.Close()
	text, err := io.ReadAll(r)
	d.must(err)
	return text
}

// TestExportIsTheRepository holds that an exported file has, byte for byte, what a machine reads of the repository.
func TestExportIsTheRepository(t *testing.T) {
	d := newDelivery(t)
	d.publish("1.1.0")
	read := &recorder{Source: d.source}
	targets, err := d.client.Refresh(t.Context(), read)
	d.must(err)
	r, err := repository.Read(d.o)
	d.must(err)
	file := filepath.Join(t.TempDir(), "update.tar")
	_, err = r.Export(t.Context(), repository.Selector{Version: "1.1.0"}, file)
	d.must(err)
	archive, err := os.ReadFile(file)
	d.must(err)
	for _, path := range append(read.found, targets.List[0].Path) {
		if text := d.read(path, 0, -1); !bytes.Contains(archive, []byte(path)) || !bytes.Contains(archive, text) {
			t.Errorf("%s is not in the file", path)
		}
	}
	if len(read.found) < 3 || !slices.Contains(read.found, "metadata/timestamp.json") {
		t.Errorf("the machine has read %q", read.found)
	}
}

// recorder notes what a machine finds.
type recorder struct {
	machine.Source
	found []string
}

func (r *recorder) Open(ctx context.Context, path string, offset, length int64) (io.ReadCloser, error) {
	body, err := r.Source.Open(ctx, path, offset, length)
	if err == nil {
		r.found = append(r.found, path)
	}
	return body, err
}
