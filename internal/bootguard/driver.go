package bootguard

import (
	"encoding/binary"
	"fmt"
)

// Driver is the driver for one architecture.
type Driver struct {
	// Path is where it lies on the ESP. The loader takes files whose names end in its own architecture's.
	Path string
	// Image is a PE image of 1 KiB.
	Image []byte
}

// For returns the driver for an architecture, "x86_64" or "arm64".
func For(architecture string) (Driver, error) {
	switch architecture {
	case "x86_64":
		return Driver{"EFI/systemd/drivers/bootguardx64.efi", image(machineX64, x64)}, nil
	case "arm64":
		return Driver{"EFI/systemd/drivers/bootguardaa64.efi", image(machineARM64, littleEndian(aa64))}, nil
	}
	return Driver{}, fmt.Errorf("cannot make boot guard: architecture %q is unknown", architecture)
}

func littleEndian(words []uint32) []byte {
	var b []byte
	for _, w := range words {
		b = binary.LittleEndian.AppendUint32(b, w)
	}
	return b
}

// Fields of a PE32+ image with one section (PE Format; offsets from the start of the file).
const (
	alignment   = 0x200  // of the file, and the size of its headers
	codeAddress = 0x1000 // of the section in memory, and the alignment there

	peHeader       = 0x40
	coffHeader     = peHeader + 4
	optionalHeader = coffHeader + 20
	optionalSize   = 112 + 16*8
	sectionHeader  = optionalHeader + optionalSize

	machineX64       = 0x8664
	machineARM64     = 0xaa64
	subsystemDriver  = 11     // EFI boot service driver: the loader refuses an application
	executableLarge  = 0x0022 // executable image, large addresses; relocations are not stripped, there are none
	compatibleWithNX = 0x0100
	codeReadExecute  = 0x60000020
)

// image wraps code that begins with its entry point.
func image(machine uint16, code []byte) []byte {
	le := binary.LittleEndian
	b := make([]byte, 2*alignment)
	copy(b, "MZ")
	le.PutUint32(b[0x3c:], peHeader)
	copy(b[peHeader:], "PE\x00\x00")
	le.PutUint16(b[coffHeader:], machine)
	le.PutUint16(b[coffHeader+2:], 1) // NumberOfSections
	le.PutUint16(b[coffHeader+16:], optionalSize)
	le.PutUint16(b[coffHeader+18:], executableLarge)
	o := b[optionalHeader:]
	le.PutUint16(o, 0x20b)                 // PE32+
	le.PutUint32(o[4:], alignment)         // SizeOfCode
	le.PutUint32(o[16:], codeAddress)      // AddressOfEntryPoint
	le.PutUint32(o[20:], codeAddress)      // BaseOfCode
	le.PutUint32(o[32:], codeAddress)      // SectionAlignment
	le.PutUint32(o[36:], alignment)        // FileAlignment
	le.PutUint32(o[56:], 2*codeAddress)    // SizeOfImage
	le.PutUint32(o[60:], alignment)        // SizeOfHeaders
	le.PutUint16(o[68:], subsystemDriver)  // Subsystem
	le.PutUint16(o[70:], compatibleWithNX) // DllCharacteristics
	le.PutUint32(o[108:], 16)              // NumberOfRvaAndSizes, all empty
	s := b[sectionHeader:]
	copy(s, ".text")
	le.PutUint32(s[8:], uint32(len(code)))
	le.PutUint32(s[12:], codeAddress)
	le.PutUint32(s[16:], alignment)
	le.PutUint32(s[20:], alignment)
	le.PutUint32(s[36:], codeReadExecute)
	copy(b[alignment:], code)
	return b
}
