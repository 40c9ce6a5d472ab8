// Package spki names public keys as people compare them: the same words on a machine's console, in a contexts file and in a gate.
package spki

import (
	"crypto/sha256"
	"encoding/base64"
)

// Fingerprint is "SHA256:" and the unpadded base64 of the SHA-256 of a SubjectPublicKeyInfo (DER, RFC 5280 §4.1).
func Fingerprint(der []byte) string {
	sum := sha256.Sum256(der)
	return "SHA256:" + base64.RawStdEncoding.EncodeToString(sum[:])
}
