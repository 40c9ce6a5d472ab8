package gpt

import (
	"encoding/hex"
	"fmt"
	"strings"
)

// GUID is a GUID as it lies on disk: the first three groups little-endian, the rest big-endian (UEFI 2.10 Appendix A).
type GUID [16]byte

// textOrder maps the bytes of the text form, left to right, to their place on disk.
var textOrder = [16]int{3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15}

// ParseGUID reads the text form, such as "4d21b016-b534-45c2-a9fb-5c16e091fd2d", in either case.
func ParseGUID(s string) (GUID, error) {
	var uuid [16]byte
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return GUID{}, fmt.Errorf("cannot parse GUID %q: it has not the form xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx", s)
	}
	raw, err := hex.DecodeString(strings.ReplaceAll(s, "-", ""))
	if err != nil || len(raw) != len(uuid) {
		return GUID{}, fmt.Errorf("cannot parse GUID %q: it has not the form xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx", s)
	}
	copy(uuid[:], raw)
	return FromUUID(uuid), nil
}

// MustGUID is ParseGUID for constants.
func MustGUID(s string) GUID {
	g, err := ParseGUID(s)
	if err != nil {
		panic(err)
	}
	return g
}

// FromUUID takes the 16 bytes in the order of the text form (RFC 9562, big-endian).
func FromUUID(uuid [16]byte) GUID {
	var g GUID
	for text, disk := range textOrder {
		g[disk] = uuid[text]
	}
	return g
}

// UUID gives the 16 bytes in the order of the text form.
func (g GUID) UUID() [16]byte {
	var uuid [16]byte
	for text, disk := range textOrder {
		uuid[text] = g[disk]
	}
	return uuid
}

// String is the text form in lower case, as Linux shows a PARTUUID.
func (g GUID) String() string {
	u := g.UUID()
	return fmt.Sprintf("%x-%x-%x-%x-%x", u[0:4], u[4:6], u[6:8], u[8:10], u[10:16])
}
