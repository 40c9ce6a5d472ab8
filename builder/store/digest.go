package store

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
)

// Digest is a content's SHA-256 in hexadecimal and its length.
type Digest struct {
	SHA256    string `json:"sha256"`
	SizeBytes int64  `json:"size"`
}

// DigestFile reads a file and returns its digest.
func DigestFile(path string) (Digest, error) {
	file, err := os.Open(path)
	if err != nil {
		return Digest{}, err
	}
	defer file.Close()
	return digestReader(file)
}

func digestReader(r io.Reader) (Digest, error) {
	sum := sha256.New()
	n, err := io.CopyBuffer(struct{ io.Writer }{sum}, struct{ io.Reader }{r}, make([]byte, 1<<20))
	return Digest{SHA256: hex.EncodeToString(sum.Sum(nil)), SizeBytes: n}, err
}
