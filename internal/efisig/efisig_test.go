package efisig_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stele-os/stele/internal/authenticode"
	"github.com/stele-os/stele/internal/bootguard"
	"github.com/stele-os/stele/internal/efisig"
	"github.com/stele-os/stele/internal/gpt"
	"github.com/stele-os/stele/internal/oracle"
	"github.com/stele-os/stele/internal/pkcs7"
	"github.com/stele-os/stele/internal/pkcs7/pkcs7test"
)

var owner = gpt.MustGUID("11111111-2222-4333-8444-555555555555")

func TestListRoundTrip(t *testing.T) {
	want := []efisig.Entry{
		efisig.Certificate(owner, pkcs7test.RSA(t, "db", nil).Certificate), efisig.Digest(owner, sha256.Sum256([]byte("a"))), efisig.Digest(owner, sha256.Sum256([]byte("b"))),
	}
	got, err := efisig.Decode(efisig.Encode(want))
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, not %+v: %v", got, want, err)
	}
	for name, b := range map[string][]byte{"cut off": efisig.Encode(want)[:100], "header only": efisig.Encode(want[1:])[:28], "zeroes": make([]byte, 28)} {
		if _, err := efisig.Decode(b); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

// TestListIsTheirs: sbsiglist of sbsigntool writes the same bytes for a certificate.
func TestListIsTheirs(t *testing.T) {
	key := pkcs7test.RSA(t, "db", nil)
	dir := t.TempDir()
	der, list := filepath.Join(dir, "db.der"), filepath.Join(dir, "db.esl")
	if err := os.WriteFile(der, key.Certificate.Raw, 0o600); err != nil {
		t.Fatal(err)
	}
	oracle.Run(t, "sbsiglist", "--owner", owner.String(), "--type", "x509", "--output", list, der)
	want, err := os.ReadFile(list)
	if err != nil {
		t.Fatal(err)
	}
	if got := efisig.Encode([]efisig.Entry{efisig.Certificate(owner, key.Certificate)}); !bytes.Equal(got, want) {
		t.Errorf("%x, not %x", got, want)
	}
}

func TestVariableRoundTrip(t *testing.T) {
	at := time.Date(2026, 11, 27, 12, 30, 59, 0, time.UTC)
	for name, key := range map[string]pkcs7.Key{"RSA": pkcs7test.RSA(t, "KEK", nil), "ECDSA": pkcs7test.ECDSA(t, "KEK", nil)} {
		value := efisig.Encode([]efisig.Entry{efisig.Digest(owner, sha256.Sum256(nil))})
		b, err := efisig.SignVariable("db", value, at, key)
		if err != nil {
			t.Fatal(err)
		}
		got, err := efisig.ReadVariable("db", b)
		if err != nil || !got.Time.Equal(at) || !bytes.Equal(got.Value, value) || !got.Signer.Equal(key.Certificate) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
		if _, err := efisig.ReadVariable("dbx", b); err == nil {
			t.Errorf("%s: db's signature is taken for dbx", name)
		}
		for _, at := range []int{0, 5, len(b) - 1} {
			changed := bytes.Clone(b)
			changed[at] ^= 1
			if _, err := efisig.ReadVariable("db", changed); err == nil {
				t.Errorf("%s: byte %d changed, and taken", name, at)
			}
		}
	}
}

// driver is a small PE image.
func driver() []byte {
	d, _ := bootguard.For("x86_64") // fails for unknown architectures only
	return d.Image
}

func image(t *testing.T, key *pkcs7.Key, chain ...pkcs7.Key) authenticode.Image {
	t.Helper()
	pe := driver()
	if key != nil {
		var err error
		if pe, err = authenticode.Sign(pe, *key); err != nil {
			t.Fatal(err)
		}
	}
	read, err := authenticode.Read(bytes.NewReader(pe))
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range chain {
		read.Signatures[0].Certificates = append(read.Signatures[0].Certificates, k.Certificate)
	}
	return read
}

func TestPolicy(t *testing.T) {
	ca := pkcs7test.ECDSA(t, "ca", nil)
	middle := pkcs7test.ECDSA(t, "middle one", &ca)
	leaf := pkcs7test.ECDSA(t, "leaf of it", &middle)
	own := pkcs7test.RSA(t, "own", nil)
	expired := pkcs7test.New(t, "expired", own.Private, nil, time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC))
	impostor := pkcs7test.ECDSA(t, "ca", nil)
	certificates := func(keys ...pkcs7.Key) (list []efisig.Entry) {
		for _, k := range keys {
			list = append(list, efisig.Certificate(owner, k.Certificate))
		}
		return list
	}
	signed, unsigned, chained := image(t, &own), image(t, nil), image(t, &leaf, middle)
	changed := signed
	changed.Signatures, changed.Wrong = nil, []error{os.ErrInvalid}
	revoked := sha256.Sum256(middle.Certificate.RawTBSCertificate)
	for name, c := range map[string]struct {
		image   authenticode.Image
		db, dbx []efisig.Entry
		want    string
	}{
		"signed":                   {signed, certificates(own), nil, ""},
		"signed by another":        {signed, certificates(ca), nil, `signed by "CN=own", and db holds no certificate`},
		"empty db":                 {signed, nil, nil, "db holds no certificate"},
		"unsigned":                 {unsigned, certificates(own), nil, "it is not signed"},
		"unsigned, digest in db":   {unsigned, []efisig.Entry{efisig.Digest(owner, unsigned.Digest)}, nil, ""},
		"changed":                  {changed, certificates(own), nil, os.ErrInvalid.Error()},
		"digest in dbx":            {signed, certificates(own), []efisig.Entry{efisig.Digest(owner, signed.Digest)}, "dbx forbids its digest"},
		"signer in dbx":            {signed, certificates(own), certificates(own), "dbx forbids the certificate"},
		"expired":                  {image(t, &expired), certificates(expired), nil, ""},
		"chain to db":              {chained, certificates(ca), nil, ""},
		"chain without its middle": {image(t, &leaf), certificates(ca), nil, "db holds no certificate"},
		"chain to a namesake":      {chained, certificates(impostor), nil, "db holds no certificate"},
		"middle in dbx":            {chained, certificates(ca), certificates(middle), "dbx forbids"},
		"middle's digest in dbx":   {chained, certificates(leaf), []efisig.Entry{{Type: efisig.TypeX509SHA256, Data: append(revoked[:], make([]byte, 16)...)}}, "dbx forbids"},
	} {
		err := efisig.Policy{DB: c.db, DBX: c.dbx}.Check(c.image)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, not %q", name, err, c.want)
		}
	}
}

// FuzzDecode: what was read is written as lists that mean the same.
// TestEC2DataIsTheirs: a reader made after pyuefivars/aws.py, on Python's zlib with a preset dictionary, as there.
func TestEC2DataIsTheirs(t *testing.T) {
	want := []efisig.Variable{{Name: "PK", Value: []byte("platform")}, {Name: "KEK", Value: []byte{}}, {Name: "dbx", Value: bytes.Repeat([]byte{0, 0xff}, 3000)}}
	blob, err := efisig.EC2Data(want)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "blob")
	if err := os.WriteFile(file, []byte(blob), 0o600); err != nil {
		t.Fatal(err)
	}
	got := oracle.Run(t, "python3", "testdata/ec2.py", file)
	zero := strings.Repeat("00", 16)
	global, security := "61dfe48bca93d211aa0d00e098032b8c", "cbb219d73a3d9645a3bcdad00e67656f" // as they lie in memory
	for i, vendor := range []string{global, global, security} {
		line := fmt.Sprintf("%s %x %s 39 %s %s%s", want[i].Name, want[i].Value, vendor, zero, zero, zero)
		if lines := strings.Split(strings.TrimSpace(got), "\n"); len(lines) != len(want) || lines[i] != line {
			t.Errorf("line %d of %d is\n%.200s, not\n%.200s", i, len(lines), lines[i], line)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(efisig.Encode([]efisig.Entry{efisig.Digest(owner, sha256.Sum256(nil)), {Type: efisig.TypeX509, Data: []byte("certificate")}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		entries, err := efisig.Decode(b)
		if err != nil {
			return
		}
		again, err := efisig.Decode(efisig.Encode(entries))
		if err != nil || !reflect.DeepEqual(entries, again) {
			t.Fatalf("%+v became %+v: %v", entries, again, err)
		}
	})
}

func FuzzReadVariable(f *testing.F) {
	b, err := efisig.SignVariable("PK", []byte("value"), time.Unix(1e9, 0), pkcs7test.ECDSA(f, "PK", nil))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		if s, err := efisig.ReadVariable("db", b); err == nil {
			t.Fatalf("nobody signed this: %+v", s)
		}
	})
}
