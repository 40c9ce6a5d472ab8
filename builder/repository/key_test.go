package repository

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"github.com/stele-os/stele/internal/execkey"
)

// signerVariable makes the test binary the program of an exec: key: "KIND FILE", where FILE holds the private key.
const signerVariable = "STELE_TEST_SIGNER"

func TestMain(m *testing.M) {
	if kind := os.Getenv(signerVariable); kind != "" {
		if err := fakeToken(kind, os.Args[1], os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// fakeToken is what a token's program does. Kind "liar" signs something else.
func fakeToken(kind, file, verb string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	key, err := x509.ParsePKCS8PrivateKey(text)
	if err != nil {
		return err
	}
	message, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	if kind == "liar" {
		message = append(message, '!')
	}
	var public any
	var signature []byte
	switch k := key.(type) {
	case ed25519.PrivateKey:
		public, signature = k.Public(), ed25519.Sign(k, message)
	case *ecdsa.PrivateKey:
		digest := sha256.Sum256(message)
		public = k.Public()
		signature, err = ecdsa.SignASN1(rand.Reader, k, digest[:])
	}
	if verb == "sign" {
		_, err2 := os.Stdout.Write(signature)
		return errors.Join(err, err2)
	}
	der, err := x509.MarshalPKIXPublicKey(public)
	return errors.Join(err, pem.Encode(os.Stdout, &pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// token makes a key of a program.
func token(t *testing.T, key any) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return execkey.Prefix + program + " " + put(t, filepath.Join(t.TempDir(), "token"), der)
}

// TestExecSigner has all keys in tokens, of both kinds.
func TestExecSigner(t *testing.T) {
	t.Setenv(signerVariable, "honest")
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	nist, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	sources := map[string]RoleKeys{
		metadata.ROOT: {Sources: []string{token(t, nist)}}, metadata.TARGETS: {Sources: []string{token(t, edwards)}},
		metadata.SNAPSHOT: {Sources: []string{token(t, nist)}}, metadata.TIMESTAMP: {Sources: []string{token(t, nist)}},
	}
	p := newPlace(t, sources)
	newClient(t, p.options.Dir, start).sees(t)
	p.must(p.publish(testImage{version: "1.0.0"}, PublishOptions{}))
	newClient(t, p.options.Dir, start).sees(t, "1.0.0")

	t.Setenv(signerVariable, "liar")
	err = p.publish(testImage{version: "1.1.0"}, PublishOptions{})
	if err == nil || !strings.Contains(err.Error(), "it is not valid for its public key") {
		t.Errorf("a token signs something else: %v", err)
	}
}

func TestExecSignerRefuses(t *testing.T) {
	t.Setenv(signerVariable, "honest")
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ source, want string }{
		{"exec:", "exec: needs a command"},
		{"exec:/none/there", "no such file"},
		{"exec:true", "it has 0 bytes"},
		{"exec:echo key", `it is no PEM block "PUBLIC KEY"`},
		{token(t, p384), "neither Ed25519 nor ECDSA on P-256"},
	} {
		if err := new(Keyring).Add(t.Context(), c.source); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.source, err, c.want)
		}
	}
}

// TestEncryptedKey writes a key, and reads it with the right and a wrong passphrase.
func TestEncryptedKey(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	s, err := writeKey(dir, metadata.ROOT, rand.Reader, []byte("right"))
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]os.FileMode{dir: 0o700, s.path: 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s has mode %v, %v", path, info.Mode(), err)
		}
	}
	text, err := os.ReadFile(s.path)
	if err != nil || strings.Contains(string(text), "seed") {
		t.Fatalf("%s, %v", text, err)
	}
	for _, passphrase := range []string{"right", "wrong"} {
		k := &Keyring{Passphrase: func(string) ([]byte, error) { return []byte(passphrase), nil }}
		if err := k.Add(t.Context(), dir); err != nil {
			t.Fatal(err)
		}
		signature, err := k.signers[k.order[0]].sign(t.Context(), []byte("message"))
		if (err == nil) != (passphrase == "right") {
			t.Errorf("%s: %v", passphrase, err)
		}
		if err == nil && verify(s, []byte("message"), signature) != nil {
			t.Error("the signature is not valid")
		}
	}
}

func TestDecodeKeyRefuses(t *testing.T) {
	const public = `"public": "0101010101010101010101010101010101010101010101010101010101010101"`
	for _, c := range []struct{ text, want string }{
		{``, "EOF"},
		{`{"format": "stele-key/2"}`, `its format is "stele-key/2"`},
		{`{"format": "stele-key/1", "public": "01"}`, `"01" is no Ed25519 public key`},
		{`{"format": "stele-key/1", ` + public + `}`, "exactly one of encrypted and seed"},
		{`{"format": "stele-key/1", "x": 1}`, `unknown field "x"`},
	} {
		if _, err := decodeKey([]byte(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.text, err, c.want)
		}
	}
	k, err := decodeKey([]byte(`{"format": "stele-key/1", "seed": "` + strings.Repeat("02", 32) + `", ` + public + `}`))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.open(nil); err == nil || !strings.Contains(err.Error(), "belongs to another public key") {
		t.Errorf("got %v", err)
	}
}

func FuzzDecodeKey(f *testing.F) {
	f.Add([]byte(`{"format": "stele-key/1", "role": "root", "seed": "` + strings.Repeat("02", 32) + `", "public": "` + strings.Repeat("01", 32) + `"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		k, err := decodeKey(text)
		if err == nil && k.Seed != "" {
			_, _ = k.open(nil)
		}
	})
}
