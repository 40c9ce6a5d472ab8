package kconfig

import "bytes"

// Strip leaves of a .config its options, those that are not set too, and the line that names architecture and version
// ("# Linux/x86 6.12.117 Kernel Configuration"): without headings of menus a diff shows what changed.
func Strip(config []byte) []byte {
	var kept []byte
	for line := range bytes.Lines(config) {
		for _, prefix := range []string{"CONFIG_", "# CONFIG_", "# Linux/"} {
			if bytes.HasPrefix(line, []byte(prefix)) {
				kept = append(kept, line...)
			}
		}
	}
	return kept
}
