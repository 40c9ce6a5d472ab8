package spki

import "testing"

// TestFingerprint holds the form: pinned keys stand in contexts files.
func TestFingerprint(t *testing.T) {
	if got, want := Fingerprint(nil), "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU"; got != want {
		t.Errorf("%s, not %s", got, want)
	}
}
