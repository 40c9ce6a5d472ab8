//go:build qemu

package build

import (
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stele-os/stele/builder/output"
	"github.com/stele-os/stele/internal/oracle"
)

// image is the directory of the built image under test.
func image(t *testing.T) (string, *output.Manifest) {
	t.Helper()
	dir := os.Getenv("STELE_IMAGE_DIR")
	if dir == "" {
		dir = "../../build/x86_64"
	}
	m, err := output.ReadManifest(filepath.Join(dir, output.ManifestFile))
	if err != nil {
		t.Fatalf("%v\nhint: make image", err)
	}
	return dir, m
}

// TestForeignToolsAcceptTheImage asks Debian's tools about each part of the built image.
func TestForeignToolsAcceptTheImage(t *testing.T) {
	dir, m := image(t)
	disk := filepath.Join(dir, "disk.raw")
	t.Run("sgdisk", func(t *testing.T) {
		if said := oracle.Run(t, "sgdisk", "-v", disk); !strings.Contains(said, "No problems found") {
			t.Error(said)
		}
	})
	t.Run("fsck.erofs", func(t *testing.T) { oracle.Run(t, "fsck.erofs", filepath.Join(dir, "root.erofs")) })
	t.Run("veritysetup", func(t *testing.T) {
		oracle.Run(t, "veritysetup", "verify", filepath.Join(dir, "root.erofs"), filepath.Join(dir, "root.verity"), m.RootHash)
	})
	t.Run("fsck.vfat", func(t *testing.T) { oracle.Run(t, "fsck.vfat", "-n", extract(t, disk, m, "esp")) })
	t.Run("e2fsck", func(t *testing.T) { oracle.Run(t, "e2fsck", "-fn", extract(t, disk, m, "var")) })
	t.Run("partition GUIDs", func(t *testing.T) {
		hash, err := hex.DecodeString(m.RootHash)
		if err != nil {
			t.Fatal(err)
		}
		for i, name := range []string{"root-a", "root-a-verity"} {
			if p, h := partition(t, m, name), hash[16*i:]; p.PARTUUID != fmt.Sprintf("%x-%x-%x-%x-%x", h[:4], h[4:6], h[6:8], h[8:10], h[10:16]) {
				t.Errorf("%s has %s, which is not its part of root hash %s", name, p.PARTUUID, m.RootHash)
			}
		}
	})
}

func partition(t *testing.T, m *output.Manifest, name string) output.Partition {
	t.Helper()
	for _, p := range m.Partitions {
		if p.Name == name {
			return p
		}
	}
	t.Fatalf("the manifest lists no partition %q", name)
	return output.Partition{}
}

// extract copies one partition out of the disk, as a sparse file.
func extract(t *testing.T, disk string, m *output.Manifest, name string) string {
	t.Helper()
	p := partition(t, m, name)
	path := filepath.Join(t.TempDir(), name)
	oracle.Run(t, "dd", "if="+disk, "of="+path, "bs=1M", "conv=sparse", fmt.Sprintf("skip=%d", p.StartBytes>>20), fmt.Sprintf("count=%d", p.SizeBytes>>20))
	if err := os.Truncate(path, p.SizeBytes); err != nil {
		t.Fatal(err)
	}
	return path
}
