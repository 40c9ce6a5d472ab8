//go:build qemu

package powercut

import (
	"cmp"
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stele-os/stele/internal/bootmodel"
	"github.com/stele-os/stele/internal/dmlog"
	"github.com/stele-os/stele/internal/sparse"
	"github.com/stele-os/stele/internal/vm"
	"github.com/stele-os/stele/test/faults"
	"github.com/stele-os/stele/test/qemu/machine"
	"github.com/stele-os/stele/test/scratch"
	"github.com/stele-os/stele/test/versions"
)

// lab is where scenarios happen: versions, the repository, and disks that scenarios begin with, each made once.
type lab struct {
	*faults.Lab
	dir      string
	web      string
	versions map[string]machine.Image
	model    *bootmodel.Model

	disks map[string]string
}

// newLab builds the versions and publishes all but the oldest.
func newLab(t *testing.T) *lab {
	t.Helper()
	dir := scratch.Dir(t)
	repository, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	shared, err := faults.NewLab(t.Context(), repository, filepath.Join(repository, "build", "powercut"), image)
	if err != nil {
		t.Fatal(err)
	}
	l := &lab{Lab: shared, dir: dir, versions: map[string]machine.Image{}, model: bootmodel.New(), disks: map[string]string{}}
	for _, v := range []versions.Version{
		{Number: older}, {Number: newer}, {Number: next}, {Number: bad, Document: "containers:" + container("extra", 8081, "/unhealthy")},
	} {
		if l.versions[v.Number], err = l.PublishVersion(t.Context(), v); err != nil {
			t.Fatal(err)
		}
		uki, err := os.ReadFile(l.versions[v.Number].File("uki.efi"))
		if err != nil {
			t.Fatal(err)
		}
		l.model.Know(uki)
	}
	server := httptest.NewServer(l.Handler())
	t.Cleanup(server.Close)
	l.web = strings.TrimPrefix(server.URL, "http://")
	return l
}

// container is the demo under a name and at a port, which asks itself for something at its start.
func container(name string, port int, atStart string) string {
	return fmt.Sprintf(`
- name: %[1]s
  image: demo
  env: [{name: PORT, value: "%[2]d"}, {name: DEMO_AT_START, value: "%[3]s"}]
  ports: [{containerPort: %[2]d}]
  readinessProbe: {httpGet: {path: /healthz, port: %[2]d}, periodSeconds: 1}`, name, port, atStart)
}

// Seconds that a version has for its gates: a good one on a busy machine, and a bad one: the least that a document may say.
const (
	patience   = 60
	impatience = 30
)

// literal is a machine with the API, the repository and quick gates.
func (l *lab) literal(dir, disk string, deadline int) vm.Options {
	document := l.Document(faults.Gates{Probation: 3, Deadline: deadline}, "containers:"+container("demo", machine.DemoPort, ""))
	return l.versions[older].VM(machine.Options{
		Dir: dir, Disk: disk, Document: document, Reboot: true, Watchdog: "reset",
		Forwards:      []vm.Forward{{Guest: machine.DemoPort}, {Guest: faults.APIPort}},
		GuestForwards: []vm.GuestForward{{Listen: faults.RepositoryAddress, Target: l.web}},
	})
}

// record runs a scenario and returns the disk it began with and the log of its writes.
func (l *lab) record(t *testing.T, s scenario) (base string, log *dmlog.Log) {
	t.Helper()
	base = s.base(l, t)
	dir := l.folder(t, s.name)
	log = record(t, base, l.literal(dir, base, cmp.Or(s.deadline, patience)), func(ctx context.Context, m *vm.VM) {
		g, err := l.connect(ctx, m)
		if err != nil {
			t.Fatal(err)
		}
		defer g.client.Close()
		s.run(ctx, t, g)
	})
	if s.leaves != "" && l.disks[s.leaves] == "" {
		path := filepath.Join(l.folder(t, s.leaves), "disk.raw")
		if err := log.Replay(t.Context(), path, base, len(log.Entries)); err != nil {
			t.Fatal(err)
		}
		l.disks[s.leaves] = path
	}
	return base, log
}

func (l *lab) folder(t *testing.T, name string) string {
	t.Helper()
	dir := filepath.Join(l.dir, strings.ReplaceAll(name, " ", "-"))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// disk makes a disk, once, from another one by running something, and shuts the machine down in order.
func (l *lab) disk(t *testing.T, name string, from func(*lab, *testing.T) string, run func(context.Context, *testing.T, *guest)) string {
	t.Helper()
	if path := l.disks[name]; path != "" {
		return path
	}
	dir := l.folder(t, name)
	path := filepath.Join(dir, "disk.raw")
	if err := sparse.Copy(t.Context(), path, from(l, t)); err != nil {
		t.Fatal(err)
	}
	m, err := vm.Start(context.WithoutCancel(t.Context()), l.literal(dir, path, patience))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	ctx, cancel := context.WithTimeout(t.Context(), scenarioTimeout)
	defer cancel()
	g, err := l.connect(ctx, m)
	if err != nil {
		t.Fatal(err)
	}
	defer g.client.Close()
	run(ctx, t, g)
	if err := m.Shutdown(ctx); err != nil {
		t.Fatal(err)
	}
	l.disks[name] = path
	return path
}

// factory is the disk before its first boot.
func (l *lab) factory(t *testing.T) string {
	t.Helper()
	if l.disks["factory"] == "" {
		l.disks["factory"] = newBase(t, l.folder(t, "factory"), l.versions[older])
	}
	return l.disks["factory"]
}

// installed is the disk of a machine that serves the older version.
func (l *lab) installed(t *testing.T) string {
	t.Helper()
	return l.disk(t, "installed", (*lab).factory, served)
}

// updated is the disk of a machine that was updated.
func (l *lab) updated(t *testing.T) string {
	t.Helper()
	return l.disk(t, "updated", (*lab).installed, updated)
}
