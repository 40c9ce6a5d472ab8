package network

import "strings"

// domain returns a name that came over the network if it is a plain DNS name, else "". It ends up in files that programs parse, so
// nothing but letters, digits, hyphens, underscores and dots may pass (RFC 1035, section 2.3.1; RFC 2181, section 11).
func domain(name string) string {
	name = strings.TrimSuffix(strings.TrimRight(name, "\x00"), ".")
	if name == "" || len(name) > 253 {
		return ""
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 {
			return ""
		}
		for _, c := range []byte(label) {
			ok := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_'
			if !ok {
				return ""
			}
		}
	}
	return name
}

func domains(names []string) []string {
	var out []string
	for _, n := range names {
		if d := domain(n); d != "" {
			out = append(out, d)
		}
	}
	return out
}
