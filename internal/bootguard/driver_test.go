package bootguard

import (
	"bytes"
	"debug/pe"
	"os"
	"path/filepath"
	"testing"

	"github.com/stele-os/stele/internal/oracle"
)

func TestDriverIsAnEFIDriver(t *testing.T) {
	f, err := pe.NewFile(bytes.NewReader(Driver()))
	if err != nil {
		t.Fatal(err)
	}
	o := f.OptionalHeader.(*pe.OptionalHeader64)
	if f.Machine != pe.IMAGE_FILE_MACHINE_AMD64 || o.Subsystem != pe.IMAGE_SUBSYSTEM_EFI_BOOT_SERVICE_DRIVER || len(f.Sections) != 1 {
		t.Errorf("%+v %+v", f.FileHeader, o)
	}
	s := f.Sections[0]
	code, err := s.Data()
	if err != nil || !bytes.HasPrefix(code, x64) || s.VirtualAddress != o.AddressOfEntryPoint || o.SizeOfImage < s.VirtualAddress+s.VirtualSize {
		t.Errorf("%v %+v", err, s)
	}
}

// TestListing: the bytes are those of the listing.
func TestListing(t *testing.T) {
	dir := t.TempDir()
	object, binary := filepath.Join(dir, "x64.o"), filepath.Join(dir, "x64.bin")
	oracle.Run(t, "x86_64-linux-gnu-as", "--64", "-o", object, "testdata/x64.s")
	oracle.Run(t, "x86_64-linux-gnu-objcopy", "-O", "binary", "-j", ".text", object, binary)
	want, err := os.ReadFile(binary)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(x64, want) {
		t.Errorf("the listing makes\n% x, not\n% x", want, x64)
	}
}
