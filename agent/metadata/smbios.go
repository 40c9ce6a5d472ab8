package metadata

import (
	"os"
	"path/filepath"
	"strings"
)

// readSMBIOS reads the tables as the kernel shows them (Documentation/ABI/testing/sysfs-class-dmi, CONFIG_DMIID).
// A machine without them has the zero value.
func readSMBIOS(root string) SMBIOS {
	read := func(name string) string {
		b, err := os.ReadFile(filepath.Join(root, "/sys/class/dmi/id", name))
		if err != nil {
			return ""
		}
		return strings.TrimSpace(string(b))
	}
	return SMBIOS{
		BIOSVendor:   read("bios_vendor"),
		Manufacturer: read("sys_vendor"),
		Product:      read("product_name"),
		Version:      read("product_version"),
		Serial:       read("product_serial"),
		UUID:         read("product_uuid"),
	}
}
