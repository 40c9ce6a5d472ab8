package pkcs7_test

import (
	"bytes"
	"encoding/asn1"
	"os"
	"path/filepath"
	"testing"

	"github.com/stele-os/stele/internal/oracle"
	"github.com/stele-os/stele/internal/pkcs7"
	"github.com/stele-os/stele/internal/pkcs7/pkcs7test"
)

func keys(t testing.TB) map[string]pkcs7.Key {
	return map[string]pkcs7.Key{"RSA": pkcs7test.RSA(t, "rsa", nil), "ECDSA": pkcs7test.ECDSA(t, "ecdsa", nil)}
}

func TestContent(t *testing.T) {
	content, err := asn1.Marshal([]int{1, 2, 3})
	if err != nil {
		t.Fatal(err)
	}
	for name, key := range keys(t) {
		t.Run(name, func(t *testing.T) {
			der, err := pkcs7.SignContent(pkcs7.OIDData, content, key)
			if err != nil {
				t.Fatal(err)
			}
			again, err := pkcs7.SignContent(pkcs7.OIDData, content, key)
			if err != nil || !bytes.Equal(der, again) {
				t.Errorf("a second signature differs: %v", err)
			}
			s, err := pkcs7.Parse(der)
			if err != nil {
				t.Fatal(err)
			}
			if signer, err := s.Verify(nil); err != nil || !signer.Equal(key.Certificate) || !bytes.Equal(s.Content, content) {
				t.Errorf("%v, %v, content %x", signer, err, s.Content)
			}
			if at := bytes.Index(der, content); at < 0 {
				t.Error("the content is not in it")
			} else {
				der[at+len(content)-1] ^= 1
			}
			if s, err = pkcs7.Parse(der); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Verify(nil); err == nil {
				t.Error("changed content is taken")
			}
		})
	}
}

// TestDetached: openssl takes the signature, and it is good for this message only.
func TestDetached(t *testing.T) {
	message := []byte("what is signed")
	for name, key := range keys(t) {
		t.Run(name, func(t *testing.T) {
			der, err := pkcs7.SignDetached(message, key)
			if err != nil {
				t.Fatal(err)
			}
			s, err := pkcs7.Parse(der)
			if err != nil {
				t.Fatal(err)
			}
			if signer, err := s.Verify(message); err != nil || !signer.Equal(key.Certificate) {
				t.Errorf("%v, %v", signer, err)
			}
			if _, err := s.Verify([]byte("what is not")); err == nil {
				t.Error("another message is taken")
			}
			dir := t.TempDir()
			_, certificate := pkcs7test.Write(t, dir, "key", key)
			whole, err := asn1.Marshal(struct {
				Type    asn1.ObjectIdentifier
				Content asn1.RawValue
			}{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}, asn1.RawValue{Class: asn1.ClassContextSpecific, IsCompound: true, Bytes: der}})
			if err != nil {
				t.Fatal(err)
			}
			signature, content := filepath.Join(dir, "signature"), filepath.Join(dir, "content")
			for path, text := range map[string][]byte{signature: whole, content: message} {
				if err := os.WriteFile(path, text, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			oracle.Run(t, "openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", signature, "-content", content, "-CAfile", certificate,
				"-purpose", "any", "-out", filepath.Join(dir, "out"))
		})
	}
}

func TestSignRefusesAForeignCertificate(t *testing.T) {
	k := keys(t)
	if _, err := pkcs7.SignDetached([]byte("x"), pkcs7.Key{Private: k["ECDSA"].Private, Certificate: pkcs7test.ECDSA(t, "other", nil).Certificate}); err == nil {
		t.Error("a key with another one's certificate signs")
	}
}

func FuzzParse(f *testing.F) {
	key := pkcs7test.ECDSA(f, "fuzz", nil)
	detached, err := pkcs7.SignDetached([]byte("message"), key)
	if err != nil {
		f.Fatal(err)
	}
	whole, err := pkcs7.SignContent(pkcs7.OIDData, []byte{0x04, 1, 'x'}, key)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(detached)
	f.Add(whole)
	f.Fuzz(func(t *testing.T, der []byte) {
		s, err := pkcs7.Parse(der)
		if err != nil {
			return
		}
		if signer, err := s.Verify([]byte("another")); err == nil {
			t.Fatalf("a message that nobody signed is taken as from %v", signer.Subject)
		}
		_, _ = s.Verify(nil)
	})
}
