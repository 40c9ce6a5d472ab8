package assemble

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stele-os/stele/api/v1alpha1"
	"github.com/stele-os/stele/builder/tree"
	"github.com/stele-os/stele/internal/fat"
	"github.com/stele-os/stele/internal/gpt"
	"github.com/stele-os/stele/internal/oracle"
	"github.com/stele-os/stele/internal/uki"
	"github.com/stele-os/stele/internal/uki/ukitest"
)

// testSpec is a whole small image in fresh directories. Its stub is a PE image that does nothing.
func testSpec(t *testing.T) Spec {
	t.Helper()
	dir, out := t.TempDir(), t.TempDir()
	file := func(name string, content []byte) string {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, content, 0o644); err != nil {
			t.Fatal(err)
		}
		return p
	}
	info := v1alpha1.ImageInfo{Name: "test", Version: "1.2.3", Architecture: "x86_64", BuildTime: 1_700_000_000}
	root, err := tree.NewBase(tree.Base{
		Info: info, Agent: file("agent", bytes.Repeat([]byte("agent"), 300_000)), Runc: file("runc", []byte("runc")), CACertificates: file("ca", []byte("ca")),
	})
	if err != nil {
		t.Fatal(err)
	}
	extra := []byte("apiVersion: stele/v1alpha1\n")
	return Spec{
		Info: info, Tree: root, RootFormat: EROFS, Kernel: file("vmlinuz", bytes.Repeat([]byte("kernel"), 50_000)), KernelRelease: "6.12.0-stele",
		Stub: file("stub", ukitest.Stub()), Loader: file("loader", ukitest.Stub()), CommandLine: []string{"console=ttyS0", "panic=10"},
		Sizes: Sizes{ESP: fat.MinBytes, Root: 8 << 20, Var: 16 << 20},
		ESPFiles: []fat.File{{Path: "stele/config.yaml", Size: int64(len(extra)), Open: func() (io.ReadCloser, error) {
			return io.NopCloser(bytes.NewReader(extra)), nil
		}}},
		OutputDir: out, WorkDir: dir,
	}
}

func writeImage(t *testing.T, s Spec) Result {
	t.Helper()
	r, err := Write(context.Background(), s)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestSameInputsSameBytes(t *testing.T) {
	for _, format := range []string{"erofs", "erofs-lz4hc"} {
		a, b := testSpec(t), testSpec(t)
		a.RootFormat, b.RootFormat = format, format
		writeImage(t, a)
		writeImage(t, b)
		for _, name := range []string{RootFile, VerityFile, UKIFile, DiskFile} {
			if x, y := sum(t, filepath.Join(a.OutputDir, name)), sum(t, filepath.Join(b.OutputDir, name)); x != y {
				t.Errorf("%s: %s differs between two builds", format, name)
			}
		}
	}
}

func sum(t *testing.T, path string) [32]byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return sha256.Sum256(b)
}

// TestForeignToolsAcceptTheDisk shows every part of a whole disk to the program that knows it best.
func TestForeignToolsAcceptTheDisk(t *testing.T) {
	s := testSpec(t)
	s.VarTemplate = filepath.Join(s.WorkDir, "var.ext4")
	oracle.Run(t, "mkfs.ext4", "-q", s.VarTemplate, "8M")
	r := writeImage(t, s)
	disk := filepath.Join(s.OutputDir, DiskFile)
	if out := oracle.Run(t, "sgdisk", "-v", disk); !strings.Contains(out, "No problems found") {
		t.Errorf("sgdisk -v:\n%s", out)
	}
	part := func(name string) string { return extract(t, disk, r.Table, name) }
	esp := part(PartitionESP)
	oracle.Run(t, "fsck.vfat", "-n", esp)
	oracle.Run(t, "fsck.erofs", part(PartitionRootA))
	oracle.Run(t, "veritysetup", "verify", part(PartitionRootA), part(PartitionRootAVerity), hex.EncodeToString(r.Verity.RootHash[:]))
	oracle.Run(t, "e2fsck", "-fn", part(PartitionVar))
	for path, want := range map[string]string{
		"loader/loader.conf": loaderConf, "stele/config.yaml": "apiVersion: stele/v1alpha1\n", "EFI/BOOT/BOOTX64.EFI": string(ukitest.Stub()),
	} {
		if got := oracle.Run(t, "mtype", "-i", esp, "::/"+path); got != want {
			t.Errorf("%s on the ESP: %q", path, got)
		}
	}
	onESP := []byte(oracle.Run(t, "mtype", "-i", esp, "::/EFI/Linux/stele_1.2.3.efi"))
	if sha256.Sum256(onESP) != sum(t, filepath.Join(s.OutputDir, UKIFile)) {
		t.Error("the UKI on the ESP is another one")
	}
}

func extract(t *testing.T, disk string, table *gpt.Table, name string) string {
	t.Helper()
	f, err := os.Open(disk)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	p := table.ByName(name)
	b := make([]byte, table.SizeBytes(*p))
	if _, err := f.ReadAt(b, table.StartBytes(*p)); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(out, b, 0o644); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestUKIHoldsTheRootHash(t *testing.T) {
	s := testSpec(t)
	r := writeImage(t, s)
	image, err := os.ReadFile(filepath.Join(s.OutputDir, UKIFile))
	if err != nil {
		t.Fatal(err)
	}
	sections, err := uki.Sections(image)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		uki.CommandLine: hex.EncodeToString(r.Verity.RootHash[:]), uki.OSRelease: `IMAGE_VERSION="1.2.3"`, uki.Release: "6.12.0-stele",
	} {
		if got, err := uki.Find(sections, name); err != nil || !strings.Contains(string(got), want) {
			t.Errorf("%s is %q, which does not hold %q: %v", name, got, want, err)
		}
	}
}

// TestNothingIsLeftOnError: neither final nor temporary files.
func TestNothingIsLeftOnError(t *testing.T) {
	for name, try := range map[string]struct {
		spoil func(*Spec)
		want  string
		left  []string
	}{
		"root format":   {func(s *Spec) { s.RootFormat = "squashfs" }, `root format "squashfs" is unknown`, nil},
		"stub missing":  {func(s *Spec) { s.Stub += "x" }, "cannot read boot stub", []string{RootFile, VerityFile}},
		"stub broken":   {func(s *Spec) { s.Stub = s.Kernel }, "does not begin with MZ", []string{RootFile, VerityFile}},
		"root too big":  {func(s *Spec) { s.Sizes.Root = 1 << 20 }, `cannot fill partition "root-a"`, []string{RootFile, VerityFile, UKIFile}},
		"ESP too small": {func(s *Spec) { s.Sizes.ESP = 1 << 20 }, "less than the", []string{RootFile, VerityFile, UKIFile}},
		"ESP collision": {func(s *Spec) { s.ESPFiles[0].Path = "Loader/Loader.conf" }, "is there already", []string{RootFile, VerityFile, UKIFile}},
		"architecture":  {func(s *Spec) { s.Info.Architecture = "mips" }, `architecture "mips" is unknown`, []string{RootFile, VerityFile, UKIFile}},
	} {
		s := testSpec(t)
		try.spoil(&s)
		if _, err := Write(context.Background(), s); err == nil || !strings.Contains(err.Error(), try.want) {
			t.Errorf("%s: %v", name, err)
		}
		entries, _ := os.ReadDir(s.OutputDir)
		var left []string
		for _, e := range entries {
			left = append(left, e.Name())
		}
		if strings.Join(left, " ") != strings.Join(try.left, " ") {
			t.Errorf("%s leaves %v", name, left)
		}
	}
}

func TestDiskStopsWithItsContext(t *testing.T) {
	s := testSpec(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Write(ctx, s); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(s.OutputDir, DiskFile)); !errors.Is(err, fs.ErrNotExist) {
		t.Error("a disk is left")
	}
}
