package fat

import (
	"errors"
	"fmt"
	"strings"
)

// checkName allows the characters every reader of FAT agrees on (a part of fatgen103, "FAT Long Directory Entries").
func checkName(name string) error {
	if name == "" || name == "." || name == ".." || len(name) > 255 || strings.HasSuffix(name, ".") {
		return fmt.Errorf("%q is no FAT file name", name)
	}
	for i := range len(name) {
		if c := name[i]; !isLetterOrDigit(c) && !strings.ContainsRune("_-.+~", rune(c)) {
			return fmt.Errorf("%q is no FAT file name: %q is not allowed", name, c)
		}
	}
	return nil
}

// shortName gives the 8.3 name, padded with spaces: the name itself in upper case where it fits, else "BASIS~N.EXT"
// (fatgen103, "The Basis-Name Generation Algorithm"; "The Numeric-Tail Generation Algorithm").
func shortName(name string, taken map[[11]byte]bool) ([11]byte, error) {
	base, ext := strings.ToUpper(name), ""
	if dot := strings.LastIndexByte(base, '.'); dot > 0 {
		base, ext = base[:dot], base[dot+1:]
	}
	cleanBase, cleanExt := shortCharacters(base), shortCharacters(ext)
	if cleanBase == base && cleanExt == ext && len(base) <= 8 && len(ext) <= 3 {
		if short := packShort(base, ext); !taken[short] {
			return short, nil
		}
	}
	for n := 1; n < 1_000_000; n++ {
		tail := fmt.Sprintf("~%d", n)
		short := packShort(cleanBase[:min(len(cleanBase), 8-len(tail))]+tail, cleanExt[:min(len(cleanExt), 3)])
		if !taken[short] {
			return short, nil
		}
	}
	return [11]byte{}, errors.New("all short names are taken")
}

// shortCharacters drops dots and replaces what a short name may not hold.
func shortCharacters(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, ".", ""), "+", "_")
}

func packShort(base, ext string) (short [11]byte) {
	copy(short[:], fmt.Sprintf("%-8s%-3s", base, ext))
	return short
}

// plainName is how a short name reads; a node whose name differs needs long entries.
func plainName(short [11]byte) string {
	base, ext := strings.TrimRight(string(short[:8]), " "), strings.TrimRight(string(short[8:]), " ")
	if ext == "" {
		return base
	}
	return base + "." + ext
}
