package system

import (
	"context"
	"fmt"
	"log/slog"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/stele-os/stele/agent/plan"
	"github.com/stele-os/stele/agent/state"
)

// RunHost keeps the hostname (state.Hostname) and the document's kernel parameters as desired, until ctx is done. Parameters that leave the document
// keep their value until the next boot: the kernel does not tell what was before.
func RunHost(ctx context.Context, m *state.Machine, log *slog.Logger, procSys string) error {
	var hostname string
	var applied []plan.Sysctl
	for {
		desired, ok, changed := m.Desired.Watch()
		network, _, networkChanged := m.Network.Watch()
		if name := state.Hostname(desired, network); name != "" && name != hostname {
			if err := SetHostname(name); err != nil {
				log.Error(err.Error())
			}
			hostname = name
		}
		if ok && !slices.Equal(desired.Sysctls, applied) {
			for _, s := range desired.Sysctls {
				if err := SetParameter(procSys, s.Name, s.Value); err != nil {
					log.Error(err.Error())
				}
			}
			applied = desired.Sysctls
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		case <-networkChanged:
		}
	}
}

// SetHostname names the machine.
func SetHostname(name string) error {
	if err := unix.Sethostname([]byte(name)); err != nil {
		return fmt.Errorf("cannot set hostname %q: %w", name, err)
	}
	return nil
}
