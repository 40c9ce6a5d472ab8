package bootguard

import (
	"bytes"
	"debug/pe"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stele-os/stele/internal/oracle"
)

// code of each architecture, the machine in its header, and the foreign tools that make it of its listing.
var architectures = []struct {
	name, listing, tools string
	flags                []string
	machine              uint16
	code                 []byte
}{
	{"x86_64", "testdata/x64.s", "x86_64-linux-gnu-", []string{"--64"}, pe.IMAGE_FILE_MACHINE_AMD64, x64},
	{"arm64", "testdata/aa64.s", "aarch64-linux-gnu-", nil, pe.IMAGE_FILE_MACHINE_ARM64, littleEndian(aa64)},
}

func TestDriverIsAnEFIDriver(t *testing.T) {
	for _, a := range architectures {
		t.Run(a.name, func(t *testing.T) {
			driver, err := For(a.name)
			if err != nil {
				t.Fatal(err)
			}
			f, err := pe.NewFile(bytes.NewReader(driver.Image))
			if err != nil {
				t.Fatal(err)
			}
			o := f.OptionalHeader.(*pe.OptionalHeader64)
			if f.Machine != a.machine || o.Subsystem != pe.IMAGE_SUBSYSTEM_EFI_BOOT_SERVICE_DRIVER || len(f.Sections) != 1 {
				t.Errorf("%+v %+v", f.FileHeader, o)
			}
			s := f.Sections[0]
			code, err := s.Data()
			if err != nil || !bytes.HasPrefix(code, a.code) || s.VirtualAddress != o.AddressOfEntryPoint || o.SizeOfImage < s.VirtualAddress+s.VirtualSize {
				t.Errorf("%v %+v", err, s)
			}
		})
	}
}

func TestUnknownArchitecture(t *testing.T) {
	if d, err := For("riscv64"); err == nil || !strings.Contains(err.Error(), `"riscv64"`) {
		t.Errorf("got %+v, %v", d, err)
	}
}

// TestListing: the bytes are those of the listing.
func TestListing(t *testing.T) {
	for _, a := range architectures {
		t.Run(a.name, func(t *testing.T) {
			dir := t.TempDir()
			object, binary := filepath.Join(dir, "guard.o"), filepath.Join(dir, "guard.bin")
			oracle.Run(t, a.tools+"as", append(a.flags, "-o", object, a.listing)...)
			oracle.Run(t, a.tools+"objcopy", "-O", "binary", "-j", ".text", object, binary)
			want, err := os.ReadFile(binary)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(a.code, want) {
				t.Errorf("the listing makes\n% x, not\n% x", want, a.code)
			}
		})
	}
}
