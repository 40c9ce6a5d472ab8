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

// RunHost keeps hostname and the document's kernel parameters as desired, until ctx is done. Parameters that leave the document
// keep their value until the next boot: the kernel does not tell what was before.
func RunHost(ctx context.Context, m *state.Machine, log *slog.Logger, procSys string) error {
	var hostname string
	var applied []plan.Sysctl
	for {
		desired, ok, changed := m.Desired.Watch()
		if ok && desired.Hostname != "" && desired.Hostname != hostname {
			if err := SetHostname(desired.Hostname); err != nil {
				log.Error(err.Error())
			}
			hostname = desired.Hostname
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
