package bls

import (
	"cmp"
	"strings"
)

// Compare orders two versions as the loader does: negative when a is older than b (UAPI.10, "Version Format Specification", in the
// reading of systemd 257's strverscmp_improved, which the loader and bootctl share).
//
// The strings are read segment by segment, each of digits or of ASCII letters, each perhaps behind one of '~', '-', '^' and '.'.
// Any other character only ends a segment, so that "1_2" equals "1+2", and 1.0.0+build equals no counter but a longer version.
func Compare(a, b string) int {
	for {
		a, b = a[validFrom(a):], b[validFrom(b):]
		// A pre-release is older than everything, the end of the version included.
		if r := mark(&a, &b, '~'); r != 0 {
			return r
		}
		if a == "" || b == "" {
			return cmp.Compare(min(len(a), 1), min(len(b), 1))
		}
		for _, c := range []byte{'-', '^', '.'} {
			if r := mark(&a, &b, c); r != 0 {
				return r
			}
		}
		if r := segment(&a, &b); r != 0 {
			return r
		}
	}
}

// mark takes c from the front of both; the one that alone has it is the older.
func mark(a, b *string, c byte) int {
	inA, inB := starts(*a, c), starts(*b, c)
	if inA != inB {
		return cmp.Compare(bit(inB), bit(inA))
	}
	if inA {
		*a, *b = (*a)[1:], (*b)[1:]
	}
	return 0
}

// segment takes a run of digits or letters from the front of both and compares them.
func segment(a, b *string) int {
	if digitsIn(*a) > 0 || digitsIn(*b) > 0 {
		return numeric(a, b)
	}
	la, lb := lettersIn(*a), lettersIn(*b)
	n := min(la, lb)
	if r := strings.Compare((*a)[:n], (*b)[:n]); r != 0 {
		return r
	}
	*a, *b = (*a)[la:], (*b)[lb:]
	return cmp.Compare(la, lb)
}

// numeric: a number is newer than letters, and leading zeros do not count. Numbers may be of any length.
func numeric(a, b *string) int {
	da, db := (*a)[:digitsIn(*a)], (*b)[:digitsIn(*b)]
	*a, *b = (*a)[len(da):], (*b)[len(db):]
	if r := cmp.Compare(bit(da != ""), bit(db != "")); r != 0 {
		return r
	}
	da, db = strings.TrimLeft(da, "0"), strings.TrimLeft(db, "0")
	if r := cmp.Compare(len(da), len(db)); r != 0 {
		return r
	}
	return strings.Compare(da, db)
}

func starts(s string, c byte) bool { return s != "" && s[0] == c }

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

// run is the length of the front of s for which is holds.
func run(s string, is func(byte) bool) int {
	n := 0
	for n < len(s) && is(s[n]) {
		n++
	}
	return n
}

func digitsIn(s string) int  { return run(s, isDigit) }
func lettersIn(s string) int { return run(s, isLetter) }

// validFrom is the length of the front of s that means nothing.
func validFrom(s string) int {
	return run(s, func(c byte) bool { return !isDigit(c) && !isLetter(c) && !strings.ContainsRune("~-^.", rune(c)) })
}
