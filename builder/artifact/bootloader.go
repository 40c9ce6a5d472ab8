package artifact

import (
	"context"
	"path/filepath"

	"github.com/stele-os/stele/builder/definition"
	"github.com/stele-os/stele/builder/store"
)

// Names of the files that BootLoader makes.
const (
	LoaderName = "systemd-boot.efi"
	StubName   = "linux.efi.stub"
)

// BootLoader takes systemd-boot and its UKI stub out of the package systemd-boot-efi.
func BootLoader(p Package, arch definition.Arch) Recipe {
	const from = "/usr/lib/systemd/boot/efi/"
	return Recipe{
		Version: p.Version,
		Key:     store.NewKey("bootloader-"+string(arch)).Add("package", p.SHA256),
		Build: func(ctx context.Context, dir string) error {
			return p.extract(ctx, map[string]string{
				from + "systemd-boot" + arch.EFI() + ".efi": filepath.Join(dir, LoaderName),
				from + "linux" + arch.EFI() + ".efi.stub":   filepath.Join(dir, StubName),
			})
		},
	}
}
