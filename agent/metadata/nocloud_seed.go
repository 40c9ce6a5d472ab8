package metadata

import (
	"fmt"
	"net/url"
	"strings"
)

// seed is what an SMBIOS serial number of the form ds=nocloud;s=URL;h=HOST;i=ID says
// (cloud-init documentation, "NoCloud", section "Line configuration").
type seed struct {
	// base ends in "/".
	base     string
	hostname string
	instance string
}

// namesSeed tells whether the serial number is addressed to NoCloud and names a place.
func namesSeed(serial string) bool {
	fields, ok := seedFields(serial)
	return ok && fields["s"] != ""
}

// seedFields splits the serial number. "nocloud-net" is the older name of the same thing.
func seedFields(serial string) (map[string]string, bool) {
	parts := strings.Split(strings.TrimSpace(serial), ";")
	if parts[0] != "ds=nocloud" && parts[0] != "ds=nocloud-net" {
		return nil, false
	}
	long := map[string]string{"seedfrom": "s", "local-hostname": "h", "instance-id": "i"}
	fields := map[string]string{}
	for _, p := range parts[1:] {
		key, value, _ := strings.Cut(p, "=")
		if short, ok := long[key]; ok {
			key = short
		}
		fields[key] = value
	}
	return fields, true
}

// parseSeed checks the URL: http or https, a host, no credentials.
func parseSeed(serial string) (seed, error) {
	fields, ok := seedFields(serial)
	if !ok || fields["s"] == "" {
		return seed{}, fmt.Errorf("cannot use SMBIOS serial %q: it names no NoCloud URL", serial)
	}
	u, err := url.Parse(fields["s"])
	if err != nil {
		return seed{}, fmt.Errorf("cannot use the URL of SMBIOS serial %q: %w", serial, err)
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
		return seed{}, fmt.Errorf("cannot use the URL of SMBIOS serial %q: want http://HOST/PATH/ or https://HOST/PATH/", serial)
	}
	base := strings.TrimRight(fields["s"], "/") + "/"
	return seed{base: base, hostname: fields["h"], instance: fields["i"]}, nil
}
