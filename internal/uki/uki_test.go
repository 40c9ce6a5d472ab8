package uki

import (
	"bytes"
	"debug/pe"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stele-os/stele/internal/oracle"
)

// testStub is the smallest PE32+ image that has what a real stub has: one section, room in its headers, and something behind
// its last section.
func testStub() []byte {
	b := make([]byte, 0x400)
	copy(b, "MZ")
	le.PutUint32(b[offsetOfPEOffset:], 0x40)
	copy(b[0x40:], "PE\x00\x00")
	coff := b[0x44:]
	le.PutUint16(coff[0:], 0x8664) // machine
	le.PutUint16(coff[2:], 1)      // sections
	le.PutUint32(coff[8:], 0x600)  // symbol table
	le.PutUint32(coff[12:], 1)
	le.PutUint16(coff[16:], 240) // optional header
	le.PutUint16(coff[18:], 0x22)
	opt := b[0x58:]
	le.PutUint16(opt, optMagic)
	le.PutUint32(opt[optSectionAlignment:], 0x1000)
	le.PutUint32(opt[optFileAlignment:], 0x200)
	le.PutUint32(opt[optSizeOfImage:], 0x2000)
	le.PutUint32(opt[optSizeOfHeaders:], 0x400)
	le.PutUint16(opt[68:], 10) // subsystem: EFI application
	le.PutUint32(opt[optDirectoryCount:], 16)
	sectionHeader{name: ".text", virtualSize: 3, virtualAddress: 0x1000, rawSize: 0x200, rawOffset: 0x400, flags: 0x60000020}.encode(b[0x58+240:])
	b = append(b, pad([]byte{0x31, 0xc0, 0xc3}, 0x200)...)
	return append(b, "symbol table"...)
}

var testSections = []Section{
	{OSRelease, []byte("ID=test\n")},
	{CommandLine, []byte("root=/dev/dm-0 ro")},
	{Release, []byte("6.12.0")},
	{Kernel, bytes.Repeat([]byte{0x90}, 5000)},
}

func testImage(t testing.TB) []byte {
	t.Helper()
	image, err := Append(testStub(), testSections)
	if err != nil {
		t.Fatal(err)
	}
	return image
}

func TestAppendAndRead(t *testing.T) {
	got, err := Sections(testImage(t))
	if err != nil {
		t.Fatal(err)
	}
	want := append([]Section{{".text", []byte{0x31, 0xc0, 0xc3}}}, testSections...)
	if len(got) != len(want) {
		t.Fatalf("%d sections, not %d", len(got), len(want))
	}
	for i := range want {
		if got[i].Name != want[i].Name || !bytes.Equal(got[i].Data, want[i].Data) {
			t.Errorf("section %d is %q with %d bytes, not %q with %d", i, got[i].Name, len(got[i].Data), want[i].Name, len(want[i].Data))
		}
	}
	line, err := Find(got, CommandLine)
	if err != nil || string(line) != "root=/dev/dm-0 ro" {
		t.Errorf("%q, %v", line, err)
	}
	if _, err := Find(got, Initrd); err == nil {
		t.Error("an initrd was found")
	}
}

func TestRead(t *testing.T) {
	image := testImage(t)
	got, err := Read(bytes.NewReader(image), int64(len(image)), CommandLine, OSRelease)
	if err != nil {
		t.Fatal(err)
	}
	if string(got[0].Data) != "root=/dev/dm-0 ro" || string(got[1].Data) != "ID=test\n" {
		t.Errorf("%q", got)
	}
	long, err := Append(testStub(), []Section{{CommandLine, make([]byte, maxTextBytes+1)}})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		image   []byte
		section string
	}{
		"no such section":  {image, Initrd},
		"cut off":          {image[:len(image)-1], CommandLine},
		"empty":            {nil, CommandLine},
		"no image":         {make([]byte, 4096), CommandLine},
		"section too long": {long, CommandLine},
	} {
		if s, err := Read(bytes.NewReader(c.image), int64(len(c.image)), c.section); err == nil {
			t.Errorf("%s: %q", name, s)
		}
	}
}

// TestDebugPEReads takes the standard library as judge: sections are whole, aligned, without gaps, and the image holds them all.
func TestDebugPEReads(t *testing.T) {
	image := testImage(t)
	f, err := pe.NewFile(bytes.NewReader(image))
	if err != nil {
		t.Fatal(err)
	}
	end, address := uint32(0x400), uint32(0)
	for _, s := range f.Sections {
		if s.Offset != end || s.VirtualAddress < address || s.VirtualAddress%0x1000 != 0 {
			t.Errorf("%s at file offset %#x (expected %#x), address %#x", s.Name, s.Offset, end, s.VirtualAddress)
		}
		end, address = s.Offset+s.Size, s.VirtualAddress+s.VirtualSize
	}
	opt := f.OptionalHeader.(*pe.OptionalHeader64)
	if int(end) != len(image) || opt.SizeOfImage < address || opt.SizeOfImage%0x1000 != 0 || f.NumberOfSymbols != 0 {
		t.Errorf("image of %d bytes ends at %#x; SizeOfImage %#x; %d symbols", len(image), end, opt.SizeOfImage, f.NumberOfSymbols)
	}
}

func TestObjdumpReads(t *testing.T) {
	path := filepath.Join(t.TempDir(), "uki.efi")
	if err := os.WriteFile(path, testImage(t), 0o644); err != nil {
		t.Fatal(err)
	}
	out := oracle.Run(t, "objdump", "-h", path)
	for _, s := range testSections {
		if !strings.Contains(out, " "+s.Name+" ") {
			t.Errorf("objdump does not show %s:\n%s", s.Name, out)
		}
	}
}

func TestAppendRefuses(t *testing.T) {
	signed := testStub()
	le.PutUint32(signed[0x58+optCertificateTable:], 0x600)
	le.PutUint32(signed[0x58+optCertificateTable+4:], 8)
	var many []Section
	for i := range 17 {
		many = append(many, Section{string(rune('a' + i)), []byte{1}})
	}
	for want, try := range map[string]struct {
		stub     []byte
		sections []Section
	}{
		"does not begin with MZ":          {[]byte("ELF"), testSections},
		"PE signature is missing":         {append([]byte("MZ"), make([]byte, 500)...), testSections},
		"it is signed already":            {signed, testSections},
		"is there already":                {testImage(t), testSections},
		"no room for 17 more sections":    {testStub(), many},
		"has not 1 to 8 bytes":            {testStub(), []Section{{".toolongname", []byte{1}}}},
		`section ".linux" is empty`:       {testStub(), []Section{{Kernel, nil}}},
		`section ".text" ends at byte`:    {testStub()[:0x500], testSections},
		"optional header is not PE32+":    {testStub()[:0x120], testSections},
		`section ".osrel" is there alrea`: {testStub(), []Section{{OSRelease, []byte{1}}, {OSRelease, []byte{1}}}},
	} {
		if _, err := Append(try.stub, try.sections); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", want, err)
		}
	}
}
