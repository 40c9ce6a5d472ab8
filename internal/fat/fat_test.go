package fat

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stele-os/stele/internal/oracle"
)

var testParams = Params{SizeBytes: MinBytes, Label: "cidata", VolumeID: 0x12345678, Time: time.Date(2026, 1, 2, 3, 4, 6, 0, time.UTC)}

func content(path string, b []byte) File {
	return File{Path: path, Size: int64(len(b)), Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }}
}

func testFiles() []File {
	files := []File{
		content("EFI/BOOT/BOOTX64.EFI", bytes.Repeat([]byte("boot"), 3000)),
		content("EFI/Linux/stele_1.0.0.efi", bytes.Repeat([]byte("x"), 512)),
		content("EFI/Linux/stele_1.0.0+3-0.efi", []byte("y")),
		content("loader/loader.conf", []byte("timeout 0\n")),
		content("user-data", nil),
	}
	for i := range 40 {
		files = append(files, content(fmt.Sprintf("many/a-rather-long-file-name-%02d.yaml", i), []byte{byte(i)}))
	}
	return files
}

func write(t testing.TB, p Params, files []File) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "volume")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Truncate(p.SizeBytes); err != nil {
		t.Fatal(err)
	}
	if err := Write(f, p, files); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFsckAndMtools(t *testing.T) {
	for name, size := range map[string]int64{"smallest": MinBytes, "512-byte clusters": 260 << 20, "4 KiB clusters": 512 << 20, "16 KiB clusters": 20 << 30} {
		t.Run(name, func(t *testing.T) {
			p := testParams
			p.SizeBytes = size
			path := write(t, p, testFiles())
			oracle.Run(t, "fsck.vfat", "-n", path)
			for _, f := range testFiles() {
				r, _ := f.Open()
				want, _ := io.ReadAll(r)
				if got := oracle.Run(t, "mtype", "-i", path, "::/"+f.Path); got != string(want) {
					t.Errorf("%s: %d bytes, not %d", f.Path, len(got), len(want))
				}
			}
			listing := oracle.Run(t, "mdir", "-i", path, "::/EFI/Linux")
			for _, want := range []string{"stele_1.0.0.efi", "stele_1.0.0+3-0.efi", "STELE_~1 EFI", "STELE_~2 EFI", "2026-01-02"} {
				if !strings.Contains(listing, want) {
					t.Errorf("mdir does not show %q:\n%s", want, listing)
				}
			}
			if listing := oracle.Run(t, "mdir", "-i", path, "::/"); !strings.Contains(listing, "Volume in drive : is cidata") || !strings.Contains(listing, "1234-5678") {
				t.Errorf("label or volume id is missing:\n%s", listing)
			}
		})
	}
}

func TestSameBytesWhateverTheOrder(t *testing.T) {
	sum := func(files []File) [32]byte {
		b, err := os.ReadFile(write(t, testParams, files))
		if err != nil {
			t.Fatal(err)
		}
		return sha256.Sum256(b)
	}
	files := testFiles()
	reversed := testFiles()
	for i := range files {
		reversed[len(files)-1-i] = files[i]
	}
	if sum(files) != sum(reversed) {
		t.Error("the order of the files changes the bytes")
	}
}

// discard takes writes and checks that they stay inside the volume.
type discard struct{ size int64 }

func (d discard) WriteAt(p []byte, off int64) (int, error) {
	if off < 0 || off+int64(len(p)) > d.size {
		return 0, fmt.Errorf("write at %d of a volume of %d bytes", off, d.size)
	}
	return len(p), nil
}

func TestWriteRefuses(t *testing.T) {
	for want, try := range map[string]struct {
		params Params
		files  []File
	}{
		"less than the":           {Params{SizeBytes: MinBytes - 512}, nil},
		"are not a number of":     {Params{SizeBytes: MinBytes + 1}, nil},
		"volume label":            {Params{SizeBytes: MinBytes, Label: "more than eleven"}, nil},
		"letter case":             {testParams, []File{content("a/B", nil), content("A/b", nil)}},
		`"a" is there already`:    {testParams, []File{content("a", nil), content("a/b", nil)}},
		`"" is no FAT file name`:  {testParams, []File{content("/a", nil)}},
		"is not allowed":          {testParams, []File{content("a?", nil)}},
		"are free on the FAT":     {testParams, []File{{Path: "big", Size: MinBytes}}},
		"holds no file of":        {testParams, []File{{Path: "big", Size: 1 << 32}}},
		"is not 5 bytes long":     {testParams, []File{{Path: "short", Size: 5, Open: content("", []byte("1234")).Open}}},
		"is not 3 bytes long":     {testParams, []File{{Path: "long", Size: 3, Open: content("", []byte("1234")).Open}}},
		"open: file already clos": {testParams, []File{{Path: "bad", Size: 3, Open: func() (io.ReadCloser, error) { return nil, fmt.Errorf("open: %w", os.ErrClosed) }}}},
	} {
		if err := Write(discard{try.params.SizeBytes}, try.params, try.files); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", want, err)
		}
	}
}
