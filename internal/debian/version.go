package debian

import "strings"

// CompareVersions orders two versions as Debian Policy 5.6.12 says: negative when a is older than b.
func CompareVersions(a, b string) int {
	epochA, restA := splitEpoch(a)
	epochB, restB := splitEpoch(b)
	if c := comparePart(epochA, epochB); c != 0 {
		return c
	}
	upstreamA, revisionA := splitRevision(restA)
	upstreamB, revisionB := splitRevision(restB)
	if c := comparePart(upstreamA, upstreamB); c != 0 {
		return c
	}
	return comparePart(revisionA, revisionB)
}

func splitEpoch(v string) (epoch, rest string) {
	if epoch, rest, ok := strings.Cut(v, ":"); ok {
		return epoch, rest
	}
	return "0", v
}

func splitRevision(v string) (upstream, revision string) {
	if i := strings.LastIndexByte(v, '-'); i >= 0 {
		return v[:i], v[i+1:]
	}
	return v, "0"
}

// comparePart alternates between non-digit prefixes (compared by order) and digit prefixes (compared as numbers).
func comparePart(a, b string) int {
	for a != "" || b != "" {
		textA, restA := cutPrefix(a, false)
		textB, restB := cutPrefix(b, false)
		if c := compareText(textA, textB); c != 0 {
			return c
		}
		var digitsA, digitsB string
		digitsA, a = cutPrefix(restA, true)
		digitsB, b = cutPrefix(restB, true)
		if c := compareDigits(digitsA, digitsB); c != 0 {
			return c
		}
	}
	return 0
}

func cutPrefix(s string, digits bool) (prefix, rest string) {
	i := 0
	for i < len(s) && (s[i] >= '0' && s[i] <= '9') == digits {
		i++
	}
	return s[:i], s[i:]
}

func compareDigits(a, b string) int {
	a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	return strings.Compare(a, b)
}

func compareText(a, b string) int {
	for i := range max(len(a), len(b)) {
		if c := order(a, i) - order(b, i); c != 0 {
			return c
		}
	}
	return 0
}

// order: a tilde sorts before the end of the part, letters before everything else.
func order(s string, i int) int {
	switch {
	case i >= len(s):
		return 0
	case s[i] == '~':
		return -1
	case s[i] >= 'a' && s[i] <= 'z', s[i] >= 'A' && s[i] <= 'Z':
		return int(s[i])
	}
	return int(s[i]) + 256
}
