//go:build qemu

package qemu

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stele-os/stele/internal/vm"
	"github.com/stele-os/stele/test/qemu/machine"
	"github.com/stele-os/stele/test/registry"
)

func TestPullsByTagAndDigest(t *testing.T) {
	t.Parallel()
	r := registry.Start(t)
	content, err := registry.BinaryImage(image.Arch().Go(), demoProgram(t))
	if err != nil {
		t.Fatal(err)
	}
	digest := r.Push(t, "pulled:1", content)
	pulled := document(`
registries: [{host: "10.0.2.100:5000", plainHTTP: true}]
containers:
- name: tagged
  image: 10.0.2.100:5000/pulled:1
  readinessProbe: {httpGet: {path: /healthz, port: 8080}, periodSeconds: 1}
- name: pinned
  image: 10.0.2.100:5000/pulled@` + digest + `
  env: [{name: PORT, value: "8081"}]
  readinessProbe: {httpGet: {path: /healthz, port: 8081}, periodSeconds: 1}
- name: wrong
  image: 10.0.2.100:5000/pulled@sha256:0000000000000000000000000000000000000000000000000000000000000000`)
	g := boot(t, machine.Options{
		Direct: true, Document: pulled, Forwards: ports(machine.DemoPort, 8081),
		GuestForwards: []vm.GuestForward{{Listen: "10.0.2.100:5000", Target: r.Address()}},
	})
	g.expect(`^stele: .*container tagged: running ready`)
	g.expect(`^stele: .*container pinned: running ready`)
	g.expect(`^stele: .*container wrong: failed: .*sha256:0000`)
	g.get(machine.DemoPort, "/healthz")
	g.get(8081, "/healthz")
	if !slices.Contains(r.Requests(), "GET /v2/pulled/manifests/"+digest) {
		t.Errorf("the registry was asked for %q", r.Requests())
	}
}

// demoProgram is the demo's static binary.
func demoProgram(t *testing.T) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "demo")
	build := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", path, "github.com/stele-os/stele/images/demo")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+image.Arch().Go())
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("cannot build the demo: %v\n%s", err, output)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// ports forwards guest ports to free ones of the host.
func ports(guest ...int) []vm.Forward {
	var list []vm.Forward
	for _, port := range guest {
		list = append(list, vm.Forward{Guest: port})
	}
	return list
}
