package update

import (
	"context"
	"fmt"

	"github.com/stele-os/stele/agent/fault"
	"github.com/stele-os/stele/agent/state"
	"github.com/stele-os/stele/agent/system"
	"github.com/stele-os/stele/agent/update/transfer"
	"github.com/stele-os/stele/internal/authenticode"
	"github.com/stele-os/stele/internal/bundle"
	"github.com/stele-os/stele/internal/efisig"
)

// firmware is by what this machine's firmware judges what it starts.
type firmware struct {
	secureBoot state.SecureBoot
	// policy is read where Secure Boot is enabled; err: it cannot be.
	policy efisig.Policy
	err    error
}

func readFirmware() firmware {
	f := firmware{secureBoot: system.ReadSecureBoot(system.EFIVariables)}
	if f.secureBoot.State == state.SecureBootEnabled {
		f.policy, f.err = system.ReadSignatures(system.EFIVariables)
	}
	return f
}

// silent says why the firmware's judgement cannot be known; "" where it can.
func (f firmware) silent() string {
	switch {
	case f.secureBoot.State == state.SecureBootUnknown:
		return "Secure Boot is " + f.secureBoot.String()
	case f.err != nil:
		return f.err.Error()
	}
	return ""
}

// admit refuses a version whose boot entry the firmware would refuse, before a byte of the slot is written. The UKI is fetched once more for it, and
// only where Secure Boot is enabled. Where the firmware's variables cannot be read, that is said and the staging goes on: what the firmware then
// refuses costs the version its tries, and the machine comes back (bootguard).
func (m *Manager) admit(ctx context.Context, b *transfer.Bundle, info bundle.Info) error {
	f := m.o.do.firmware()
	if why := f.silent(); why != "" {
		m.logf("cannot tell whether the firmware will start version %s: %s", info.Version, why)
		return nil
	}
	if f.secureBoot.State != state.SecureBootEnabled {
		return nil
	}
	uki := b.UKI(ctx)
	defer uki.Close()
	image, err := authenticode.Read(uki)
	if err == nil {
		err = f.judge(image, info)
	}
	if err != nil {
		return fault.As(fault.Precondition, fmt.Errorf("cannot stage version %q: the firmware, whose Secure Boot is enabled, would refuse it: %w", info.Version, err))
	}
	return nil
}

// machines are the architectures by their number (PE Format, "Machine Types").
var machines = map[string]uint16{"x86_64": 0x8664, "arm64": 0xaa64}

// judge is pure.
func (f firmware) judge(image authenticode.Image, info bundle.Info) error {
	if want := machines[info.Architecture]; image.Machine != want {
		return fmt.Errorf("it is a program for machine %#x, and this one is %#x", image.Machine, want)
	}
	return f.policy.Check(image)
}
