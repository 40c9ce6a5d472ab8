package assemble

import (
	"fmt"
	"os"

	"github.com/stele-os/stele/internal/atomicfile"
	"github.com/stele-os/stele/internal/uki"
)

// UKI is what a unified kernel image is made of. Stub and Kernel are paths.
type UKI struct {
	Stub, Kernel, KernelRelease string
	OSRelease                   []byte
	CommandLine                 string
	// SecureBoot signs the whole; nil: nobody does.
	SecureBoot *SecureBoot
}

// WriteUKI writes a unified kernel image. An empty KernelRelease leaves its section out.
func WriteUKI(path string, u UKI) error {
	stub, err := os.ReadFile(u.Stub)
	if err != nil {
		return fmt.Errorf("cannot read boot stub: %w", err)
	}
	kernel, err := os.ReadFile(u.Kernel)
	if err != nil {
		return fmt.Errorf("cannot read kernel: %w", err)
	}
	sections := []uki.Section{{Name: uki.OSRelease, Data: u.OSRelease}, {Name: uki.CommandLine, Data: []byte(u.CommandLine)}}
	if u.KernelRelease != "" {
		sections = append(sections, uki.Section{Name: uki.Release, Data: []byte(u.KernelRelease)})
	}
	image, err := uki.Append(stub, append(sections, uki.Section{Name: uki.Kernel, Data: kernel}))
	if err != nil {
		return fmt.Errorf("cannot make UKI of stub %q and kernel %q: %w", u.Stub, u.Kernel, err)
	}
	if image, err = u.SecureBoot.sign("UKI", image); err != nil {
		return err
	}
	return atomicfile.Write(path, int64(len(image)), func(f *os.File) error {
		_, err := f.Write(image)
		return err
	})
}
