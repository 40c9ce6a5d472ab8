package pkcs8

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stele-os/stele/internal/oracle"
)

func newKey(t testing.TB) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestRoundTrip(t *testing.T) {
	key := newKey(t)
	for _, passphrase := range [][]byte{nil, []byte("correct horse")} {
		file, err := Encode(key, passphrase, rand.Reader)
		if err != nil || Encrypted(file) != (passphrase != nil) {
			t.Fatalf("%s: %v", file, err)
		}
		got, err := Decode(file, passphrase)
		if err != nil || !key.(*ecdsa.PrivateKey).Equal(got) {
			t.Errorf("another key: %v", err)
		}
	}
	file, err := Encode(key, []byte("right"), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Decode(file, []byte("wrong")); err == nil || !strings.Contains(err.Error(), "passphrase is wrong") {
		t.Error(err)
	}
}

// TestOpenSSL: openssl reads our files, and we read its.
func TestOpenSSL(t *testing.T) {
	key := newKey(t)
	dir := t.TempDir()
	ours, plain, theirs := filepath.Join(dir, "ours"), filepath.Join(dir, "plain"), filepath.Join(dir, "theirs")
	file, err := Encode(key, []byte("secret"), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(ours, file, 0o600); err != nil {
		t.Fatal(err)
	}
	oracle.Run(t, "openssl", "pkey", "-in", ours, "-passin", "pass:secret", "-out", plain)
	oracle.Run(t, "openssl", "pkcs8", "-topk8", "-in", plain, "-v2", "aes-256-cbc", "-passout", "pass:other", "-out", theirs)
	for path, passphrase := range map[string]string{plain: "", theirs: "other"} {
		file, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := Decode(file, []byte(passphrase)); err != nil || !key.(*ecdsa.PrivateKey).Equal(got) {
			t.Errorf("%s: another key: %v", path, err)
		}
	}
}

// FuzzDecode: no file makes it panic, whatever it asks for.
func FuzzDecode(f *testing.F) {
	for _, passphrase := range [][]byte{nil, []byte("x")} {
		file, err := Encode(newKey(f), passphrase, rand.Reader)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(file)
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		if key, err := Decode(file, []byte("y")); err == nil && key.Public() == nil {
			t.Fatal("a key without a public half")
		}
	})
}
