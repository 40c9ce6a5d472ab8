// Package assemble turns a root tree and a kernel into a bootable disk image, step by step, without root, loop devices or mounts:
//
//	tree -> root.erofs -> root.verity -> command line (holds the root hash) -> uki.efi -> ESP and slots -> disk.raw
//
// Each step is one function that takes files and values of the steps before and writes one file, whole or not at all. Same
// inputs, same bytes (TestSameInputsSameBytes): every GUID is a hash of what the image is, and all times are the build time.
//
// It fetches and compiles nothing, and does not know where its inputs come from. An update bundle is made of the same files.
package assemble

import (
	"context"
	"path/filepath"
	"time"

	"github.com/stele-os/stele/api/v1alpha1"
	"github.com/stele-os/stele/builder/tree"
	"github.com/stele-os/stele/internal/fat"
	"github.com/stele-os/stele/internal/gpt"
)

// Names of the files that Write makes; a contract with everything that reads build/<arch>/.
const (
	RootFile   = "root.erofs"
	VerityFile = "root.verity"
	UKIFile    = "uki.efi"
	DiskFile   = "disk.raw"
)

// Spec is all an image is made of. Paths are files of the build host.
type Spec struct {
	Info v1alpha1.ImageInfo
	Tree *tree.Tree
	// RootFormat is EROFS or CompressedEROFS.
	RootFormat string
	// Kernel is an EFI executable, KernelRelease what it says in uname.
	Kernel, KernelRelease string
	// Stub and Loader are systemd-stub and systemd-boot for the architecture.
	Stub, Loader string
	// CommandLine are the words that follow ours.
	CommandLine []string
	Sizes       Sizes
	// VarTemplate is an ext4 file system, not compressed, that /var begins with; empty: the partition stays empty.
	VarTemplate string
	// ESPFiles lie on the ESP beside loader and UKI.
	ESPFiles []fat.File
	// SecureBoot signs what firmware starts; nil: nothing is signed.
	SecureBoot *SecureBoot
	// OutputDir takes the files; WorkDir what is staged on the way.
	OutputDir, WorkDir string
}

// Result is what later stages need to know about the files.
type Result struct {
	Verity      Verity
	CommandLine string
	Table       *gpt.Table
}

func (s Spec) buildTime() time.Time { return time.Unix(s.Info.BuildTime, 0).UTC() }

// Write makes all files of an image in OutputDir.
func Write(ctx context.Context, s Spec) (r Result, err error) {
	at := func(name string) string { return filepath.Join(s.OutputDir, name) }
	// 1. The root file system.
	if err := WriteRoot(ctx, at(RootFile), s.Tree, s.RootFormat, s.WorkDir, s.buildTime()); err != nil {
		return r, err
	}
	// 2. Its hash tree, which gives the root hash.
	if r.Verity, err = WriteVerity(ctx, at(VerityFile), at(RootFile)); err != nil {
		return r, err
	}
	// 3. The command line: here, once, the root hash enters it.
	if r.CommandLine, err = CommandLine(r.Verity, s.CommandLine); err != nil {
		return r, err
	}
	// 4. The unified kernel image, which the loader starts.
	if err := WriteUKI(at(UKIFile), UKI{
		Stub: s.Stub, Kernel: s.Kernel, KernelRelease: s.KernelRelease, OSRelease: tree.OSRelease(s.Info), CommandLine: r.CommandLine,
		SecureBoot: s.SecureBoot,
	}); err != nil {
		return r, err
	}
	// 5. The disk.
	r.Table, err = WriteDisk(ctx, at(DiskFile), Disk{
		Info: s.Info, Sizes: s.Sizes, Verity: r.Verity, RootPath: at(RootFile), VerityPath: at(VerityFile),
		UKI: at(UKIFile), Loader: s.Loader, VarTemplate: s.VarTemplate, ESPFiles: s.ESPFiles, SecureBoot: s.SecureBoot,
	})
	return r, err
}
