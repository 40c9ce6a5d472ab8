package system

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"unicode/utf16"
)

// loaderVendor is the vendor GUID of the Boot Loader Interface (systemd.io/BOOT_LOADER_INTERFACE).
const loaderVendor = "4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"

// Loader is what the boot loader left in EFI variables. Each value is zero where the variable is missing: nothing depends on NVRAM.
type Loader struct {
	// InitUsec is the moment the loader started, ExecUsec the moment it handed over, both since the firmware's start.
	InitUsec, ExecUsec uint64
	// DevicePartUUID is the PARTUUID of the ESP it was started from, in lower case.
	DevicePartUUID string
}

// ReadLoader reads the variables below root (/sys/firmware/efi/efivars on the machine).
func ReadLoader(root string) (Loader, error) {
	if _, err := os.Stat(root); err != nil {
		return Loader{}, fmt.Errorf("cannot read EFI variables: %w", err)
	}
	read := func(name string) string {
		content, err := os.ReadFile(filepath.Join(root, name+"-"+loaderVendor))
		if err != nil {
			return ""
		}
		return decodeVariable(content)
	}
	number := func(name string) uint64 {
		n, _ := strconv.ParseUint(read(name), 10, 63)
		return n
	}
	return Loader{
		InitUsec:       number("LoaderTimeInitUSec"),
		ExecUsec:       number("LoaderTimeExecUSec"),
		DevicePartUUID: strings.ToLower(read("LoaderDevicePartUUID")),
	}, nil
}

// decodeVariable turns an efivarfs file into its string: 4 bytes of attributes (kernel, Documentation/filesystems/efivarfs.rst),
// then UTF-16LE up to a NUL. What is not of that form gives "".
func decodeVariable(content []byte) string {
	if len(content) < 4 || len(content)%2 != 0 || len(content) > 4096 {
		return ""
	}
	var units []uint16
	for b := content[4:]; len(b) >= 2; b = b[2:] {
		unit := binary.LittleEndian.Uint16(b)
		if unit == 0 {
			break
		}
		units = append(units, unit)
	}
	return string(utf16.Decode(units))
}
