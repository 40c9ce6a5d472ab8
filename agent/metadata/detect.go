package metadata

import "strings"

// Kind is one kind of source.
type Kind string

// The kinds of sources.
const (
	KindFwCfg         Kind = "fw_cfg"
	KindNoCloudURL    Kind = "nocloud-url"
	KindNoCloudVolume Kind = "nocloud-volume"
	KindEC2           Kind = "ec2"
	KindESP           Kind = "esp"
	KindNone          Kind = "none"
)

// SMBIOS is what the firmware's tables say about the machine (DMTF DSP0134, type 0 and type 1).
type SMBIOS struct {
	BIOSVendor   string
	Manufacturer string
	Product      string
	Version      string
	Serial       string
	UUID         string
}

// Detect orders the sources that are worth a try: what the host put into this one machine comes first (fw_cfg, SMBIOS serial),
// then the cloud that SMBIOS names, then volumes, and last the file on the machine's own disk.
func Detect(f SMBIOS) []Kind {
	kinds := []Kind{KindFwCfg}
	if namesSeed(f.Serial) {
		kinds = append(kinds, KindNoCloudURL)
	}
	if isEC2(f) {
		kinds = append(kinds, KindEC2)
	}
	return append(kinds, KindNoCloudVolume, KindESP)
}

// forced returns the kinds of one platform.
func forced(platform string, f SMBIOS) ([]Kind, bool) {
	switch platform {
	case "qemu":
		return []Kind{KindFwCfg}, true
	case "nocloud":
		if namesSeed(f.Serial) {
			return []Kind{KindNoCloudURL}, true
		}
		return []Kind{KindNoCloudVolume}, true
	case "ec2":
		return []Kind{KindEC2}, true
	case "metal":
		return []Kind{KindESP}, true
	case "none":
		return []Kind{KindNone}, true
	}
	return nil, false
}

// isEC2 follows "Detect whether a host is an EC2 instance" of the EC2 user guide: Nitro says so in the manufacturer, Xen in the
// version, with a UUID that begins with ec2. Where firmware stores the UUID's first group little-endian, 45E12AEC is EC2AE145.
func isEC2(f SMBIOS) bool {
	uuid := strings.ToLower(f.UUID)
	swapped := len(uuid) > 8 && uuid[6:8] == "ec" && uuid[4] == '2'
	return f.Manufacturer == "Amazon EC2" || f.BIOSVendor == "Amazon EC2" ||
		strings.HasSuffix(f.Version, ".amazon") && (strings.HasPrefix(uuid, "ec2") || swapped)
}
