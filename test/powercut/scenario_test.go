//go:build qemu

package powercut

import (
	"context"
	"testing"

	"github.com/stele-os/stele/internal/vm"
	"github.com/stele-os/stele/test/qemu/machine"
)

// scenario is something that writes to the disk.
type scenario struct {
	name string
	// options of the machine it happens on.
	options machine.Options
	// run does it, on a machine that was just powered on.
	run func(ctx context.Context, t *testing.T, m *vm.VM)
	// versions that may boot from any disk of it.
	versions []string
}

// scenarios returns all of them.
func scenarios() []scenario {
	return []scenario{firstBoot()}
}

// firstBoot: the partition table and /var grow, identity and documents are written, a container starts.
func firstBoot() scenario {
	return scenario{
		name: "first boot", options: machine.Options{Document: machine.DemoDocument}, versions: []string{image.Manifest.Version},
		run: func(ctx context.Context, t *testing.T, m *vm.VM) {
			if _, err := machine.Serving(ctx, m, "http://"+m.Address(machine.DemoPort)+"/healthz"); err != nil {
				t.Fatal(err)
			}
		},
	}
}

// started waits for the agent alone.
func started(ctx context.Context, t *testing.T, m *vm.VM) {
	if _, err := m.Expect(ctx, `^stele: .*agent started`); err != nil {
		t.Fatal(err)
	}
}
