//go:build qemu

package qemu

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stele-os/stele/test/qemu/machine"
	"github.com/stele-os/stele/test/scratch"
)

// A document with errors changes nothing: the machine stays up, says all of them with their paths, and runs no container of it.
func TestInvalidDocument(t *testing.T) {
	t.Parallel()
	invalid := document(`
hostname: "not a name"
network: {interfaces: [{name: eth0, addresses: [10.0.2.300/24]}]}
containers:
- {name: demo, image: demo}
- {name: demo, image: ""}`)
	g := boot(t, machine.Options{Direct: true, Document: invalid})
	g.expect(`^stele: .*state: config-invalid`)
	r := g.report()
	for _, path := range []string{"spec.hostname", "spec.network.interfaces[0].addresses[0]", "spec.containers[1].name", "spec.containers[1].image"} {
		if !strings.Contains(strings.Join(r.Failed, "\n"), path) {
			t.Errorf("the report does not name %q: %q", path, r.Failed)
		}
	}
	g.never(`container demo: `)
	g.powerOff()
}

// A document that is no document names line and column.
func TestUndecodableDocument(t *testing.T) {
	t.Parallel()
	g := boot(t, machine.Options{Direct: true, Document: document("hostname: demo\ncontainerz: []")})
	g.expect(`^stele: .*state: config-invalid`)
	if failed := strings.Join(g.report().Failed, "\n"); !strings.Contains(failed, "containerz") || !strings.Contains(failed, "5:") {
		t.Errorf("the report does not name field and line: %s", failed)
	}
}

// A machine that no source tells anything says so, and goes on living.
func TestNoMetadata(t *testing.T) {
	t.Parallel()
	g := boot(t, machine.Options{Direct: true, Disk: ""})
	g.expect(`^stele: .*state: waiting-for-metadata`)
	g.expect(`^stele: .*state: no-metadata`)
	g.powerOff()
}

// The last good document stands in where its source is gone.
func TestLastGoodDocument(t *testing.T) {
	t.Parallel()
	dir := scratch.Dir(t)
	first := boot(t, machine.Options{Direct: true, Dir: dir, Document: machine.DemoDocument})
	first.serving()
	first.powerOff()
	second := boot(t, machine.Options{Direct: true, Dir: dir})
	second.serving()
	second.expect(`^stele: .*state: last-good`)
	second.powerOff()

	// An invalid document does not replace it either.
	third := boot(t, machine.Options{Direct: true, Dir: dir, Document: document("hostname: demo\ncontainerz: []")})
	third.serving()
	third.expect(`^stele: .*state: config-invalid`)
}

// A document that is too large is refused as a whole.
func TestOversizeDocument(t *testing.T) {
	t.Parallel()
	large := append(bytes.Clone(machine.DemoDocument), bytes.Repeat([]byte("#"), 1<<20)...)
	g := boot(t, machine.Options{Direct: true, Document: large})
	g.expect(`^stele: .*error: document: .*larger than the limit of 1048576 bytes`)
	g.expect(`^stele: .*state: waiting-for-metadata`)
	g.powerOff()
	g.never(`container demo: `)
}
