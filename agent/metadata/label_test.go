package metadata

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stele-os/stele/internal/oracle"
)

func TestLabels(t *testing.T) {
	deleted := fatHead("", "OLD")
	root := deleted[(1+2*16)*512:]
	copy(root[32:], root[:32])
	root[0] = 0xe5
	copy(root[32:], "CIDATA     ")
	for name, c := range map[string]struct {
		device []byte
		want   []volume
	}{
		"ISO 9660":                 {isoHead("cidata"), []volume{{"iso9660", "cidata"}}},
		"FAT16":                    {fatHead("NO NAME", "CIDATA"), []volume{{"vfat", "CIDATA"}, {"vfat", "NO NAME"}}},
		"FAT16, boot sector only":  {fatHead("CIDATA", ""), []volume{{"vfat", "CIDATA"}}},
		"FAT16, deleted label":     {deleted, []volume{{"vfat", "CIDATA"}}},
		"FAT32":                    {fat32Head("NO NAME", "cidata"), []volume{{"vfat", "cidata"}, {"vfat", "NO NAME"}}},
		"small FAT":                {smallFAT("", "CIDATA"), []volume{{"vfat", "CIDATA"}}},
		"master boot record":       {append(make([]byte, 510), 0x55, 0xaa), nil},
		"zeroes":                   {make([]byte, 1<<16), nil},
		"nothing":                  {nil, nil},
		"ISO 9660, cut off":        {isoHead("cidata")[:isoDescriptors+50], nil},
		"ISO 9660, boot record":    {func() []byte { b := isoHead("cidata"); b[isoDescriptors] = 0; return b }(), nil},
		"FAT, absurd sector bytes": {func() []byte { b := fatHead("CIDATA", ""); b[12] = 3; return b }(), nil},
	} {
		if got := labels(bytes.NewReader(c.device)); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// TestLabelsOfForeignTools reads what the usual tools write.
func TestLabelsOfForeignTools(t *testing.T) {
	for name, size := range map[string]int64{"12": 1 << 20, "16": 16 << 20, "32": 64 << 20} {
		t.Run("FAT"+name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "disk")
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Truncate(path, size); err != nil {
				t.Fatal(err)
			}
			oracle.Run(t, "mkfs.vfat", "-F", name, "-n", "CIDATA", path)
			if got := probe(path); !slices.Equal(got, []volume{{"vfat", "CIDATA"}, {"vfat", "CIDATA"}}) {
				t.Errorf("%v", got)
			}
		})
	}
	t.Run("ISO 9660", func(t *testing.T) {
		dir := t.TempDir()
		path := filepath.Join(dir, "disk.iso")
		if err := os.WriteFile(filepath.Join(dir, "user-data"), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
		oracle.Run(t, "xorriso", "-as", "mkisofs", "-J", "-r", "-V", "cidata", "-o", path, filepath.Join(dir, "user-data"))
		if got := probe(path); !slices.Equal(got, []volume{{"iso9660", "cidata"}}) {
			t.Errorf("%v", got)
		}
	})
}
