package authenticode_test

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stele-os/stele/internal/authenticode"
	"github.com/stele-os/stele/internal/bootguard"
	"github.com/stele-os/stele/internal/oracle"
	"github.com/stele-os/stele/internal/pkcs7"
	"github.com/stele-os/stele/internal/pkcs7/pkcs7test"
	"github.com/stele-os/stele/internal/uki"
)

// driver is a small PE image.
func driver() []byte {
	d, _ := bootguard.For("x86_64") // fails for unknown architectures only
	return d.Image
}

// testImage is a small image with several sections and an odd end.
func testImage(t testing.TB) []byte {
	t.Helper()
	image, err := uki.Append(driver(), []uki.Section{{Name: uki.CommandLine, Data: []byte("root=/dev/dm-0 ro")}, {Name: uki.Kernel, Data: bytes.Repeat([]byte{0x90}, 5000)}})
	if err != nil {
		t.Fatal(err)
	}
	return append(image, "tail"...)
}

func sign(t testing.TB, image []byte, key pkcs7.Key) []byte {
	t.Helper()
	signed, err := authenticode.Sign(image, key)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// TestSign: what we sign we read again, and so do sbverify and osslsigncode.
func TestSign(t *testing.T) {
	for name, key := range map[string]pkcs7.Key{"RSA": pkcs7test.RSA(t, "rsa", nil), "ECDSA": pkcs7test.ECDSA(t, "ecdsa", nil)} {
		t.Run(name, func(t *testing.T) {
			signed := sign(t, testImage(t), key)
			image, err := authenticode.Read(bytes.NewReader(signed))
			if err != nil || len(image.Wrong) > 0 || len(image.Signatures) != 1 || !image.Signatures[0].Signer.Equal(key.Certificate) || image.Machine != 0x8664 {
				t.Fatalf("%+v, %v", image, err)
			}
			dir := t.TempDir()
			_, certificate := pkcs7test.Write(t, dir, "key", key)
			file := filepath.Join(dir, "image.efi")
			if err := os.WriteFile(file, signed, 0o600); err != nil {
				t.Fatal(err)
			}
			if out := oracle.Run(t, "sbverify", "--cert", certificate, file); !strings.Contains(out, "Signature verification OK") {
				t.Error(out)
			}
			if out := oracle.Run(t, "osslsigncode", "verify", "-CAfile", certificate, "-in", file); !strings.Contains(out, "Number of verified signatures: 1") {
				t.Error(out)
			}
		})
	}
}

// TestReadForeign: what sbsign signs is read, and has the same digest.
func TestReadForeign(t *testing.T) {
	key := pkcs7test.RSA(t, "foreign", nil)
	dir := t.TempDir()
	private, certificate := pkcs7test.Write(t, dir, "key", key)
	file, signed := filepath.Join(dir, "image.efi"), filepath.Join(dir, "signed.efi")
	image := testImage(t)
	if err := os.WriteFile(file, image, 0o600); err != nil {
		t.Fatal(err)
	}
	oracle.Run(t, "sbsign", "--key", private, "--cert", certificate, "--output", signed, file)
	f, err := os.Open(signed)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	theirs, err := authenticode.Read(f)
	if err != nil || len(theirs.Signatures) != 1 || !theirs.Signatures[0].Signer.Equal(key.Certificate) {
		t.Fatalf("%+v, %v", theirs, err)
	}
	ours, err := authenticode.Read(bytes.NewReader(sign(t, image, key)))
	if err != nil || ours.Digest != theirs.Digest {
		t.Errorf("our digest is %x, theirs %x: %v", ours.Digest, theirs.Digest, err)
	}
}

func TestSameInputsSameBytes(t *testing.T) {
	image := testImage(t)
	for _, key := range []pkcs7.Key{pkcs7test.RSA(t, "rsa", nil), pkcs7test.ECDSA(t, "ecdsa", nil)} {
		if !bytes.Equal(sign(t, image, key), sign(t, image, key)) {
			t.Errorf("two signatures with the same %T differ", key.Private)
		}
	}
}

// TestEveryByteCounts: no byte of a signed image can change unnoticed, but those of checksum, padding of the signature and what only says who else might know.
func TestEveryByteCounts(t *testing.T) {
	key := pkcs7test.ECDSA(t, "bytes", nil)
	image := driver()
	signed := sign(t, image, key)
	checksum := 0x40 + 24 + 64
	for at := range image {
		changed := bytes.Clone(signed)
		changed[at] ^= 0x20
		read, err := authenticode.Read(bytes.NewReader(changed))
		noticed := err != nil || len(read.Signatures) == 0
		if free := at >= checksum && at < checksum+4; noticed == free {
			t.Errorf("byte %#x: noticed %v (%v)", at, noticed, err)
		}
	}
}

func TestRefusals(t *testing.T) {
	key := pkcs7test.ECDSA(t, "key", nil)
	image := testImage(t)
	sectionTable := 0x40 + 24 + 112 + 16*8
	change := func(f func(b []byte)) []byte {
		b := bytes.Clone(image)
		f(b)
		return b
	}
	le := binary.LittleEndian
	for name, c := range map[string]struct {
		image []byte
		want  string
	}{
		"signed already": {sign(t, image, key), "signed already"},
		"text":           {[]byte("#!/bin/sh"), "no PE image"},
		"empty":          {nil, "no PE image"},
		"32 bit":         {change(func(b []byte) { b[0x58] = 0x0b; b[0x59] = 1 }), "not PE32+"},
		"gap":            {change(func(b []byte) { le.PutUint32(b[sectionTable+20:], 0x210) }), "a section begins at byte"},
		"cut off":        {image[:len(image)-600], "it ends at byte"},
		"no directory":   {change(func(b []byte) { le.PutUint32(b[0x58+108:], 4) }), "no room for signatures"},
	} {
		if _, err := authenticode.Sign(c.image, key); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, not %q", name, err, c.want)
		}
	}
	if _, err := authenticode.Read(bytes.NewReader(append(sign(t, image, key), 0))); err == nil {
		t.Error("a byte behind the signatures is taken")
	}
}

// FuzzRead: reading never panics, and what was read can be signed or is refused.
func FuzzRead(f *testing.F) {
	key := pkcs7test.ECDSA(f, "fuzz", nil)
	f.Add(driver())
	f.Add(sign(f, driver(), key))
	f.Fuzz(func(t *testing.T, image []byte) {
		before, err := authenticode.Read(bytes.NewReader(image))
		if err != nil {
			return
		}
		signed, err := authenticode.Sign(image, key)
		if err != nil {
			return
		}
		after, err := authenticode.Read(bytes.NewReader(signed))
		if err != nil || len(after.Signatures) != 1 || len(image)%8 == 0 && after.Digest != before.Digest {
			t.Fatalf("%+v became %+v: %v", before, after, err)
		}
	})
}
