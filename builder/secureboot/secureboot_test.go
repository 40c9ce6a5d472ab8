package secureboot

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
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
	"time"

	"github.com/stele-os/stele/internal/authenticode"
	"github.com/stele-os/stele/internal/bootguard"
	"github.com/stele-os/stele/internal/efisig"
	"github.com/stele-os/stele/internal/pkcs7"
	"github.com/stele-os/stele/internal/pkcs7/pkcs7test"
)

var now = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)

// tokenVariable makes the test binary the program of an exec: key: its first argument is the key's file.
const tokenVariable = "STELE_TEST_TOKEN"

func TestMain(m *testing.M) {
	if os.Getenv(tokenVariable) != "" {
		if err := token(os.Args[1], os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func token(file, verb string) error {
	key, err := openKey(context.Background(), file, nil)
	if err != nil {
		return err
	}
	if verb == "public" {
		der, err := x509.MarshalPKIXPublicKey(key.Public())
		return errors.Join(err, pem.Encode(os.Stdout, &pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	}
	message, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	digest := sha256.Sum256(message)
	signature, err := key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		return err
	}
	_, err = os.Stdout.Write(signature)
	return err
}

// driver is a small PE image.
func driver() []byte {
	d, _ := bootguard.For("x86_64") // fails for unknown architectures only
	return d.Image
}

// brought are keys of ECDSA, which are quickly made, as files of the user.
func brought(t *testing.T, dir string) (sources, certificates map[string]string, keys map[string]pkcs7.Key) {
	t.Helper()
	sources, certificates, keys = map[string]string{}, map[string]string{}, map[string]pkcs7.Key{}
	for _, name := range Keys {
		keys[name] = pkcs7test.ECDSA(t, name, nil)
		sources[name], certificates[name] = pkcs7test.Write(t, dir, "own-"+name, keys[name])
	}
	return sources, certificates, keys
}

func TestInitMakesKeys(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	asked := 0
	o := Options{Dir: dir, Name: "Example", Now: now, Lifetime: 24 * time.Hour, Passphrase: func(string) ([]byte, error) {
		asked++
		return []byte("secret"), nil
	}}
	if err := Init(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	opened, err := Open(t.Context(), dir, "", o.Passphrase, now)
	if err != nil || asked != 4 {
		t.Fatalf("asked %d times, %v", asked, err)
	}
	if key, ok := opened.Signer.Private.(*rsa.PrivateKey); !ok || key.N.BitLen() != 2048 || opened.Signer.Certificate.Subject.CommonName != "Example Secure Boot signature database key" {
		t.Errorf("%T %v", opened.Signer.Private, opened.Signer.Certificate.Subject)
	}
	for _, name := range Keys {
		if info, err := os.Stat(filepath.Join(dir, name+keySuffix)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%v, %v", info, err)
		}
		if text, err := os.ReadFile(filepath.Join(dir, name+keySuffix)); err != nil || !bytes.Contains(text, []byte("ENCRYPTED")) {
			t.Errorf("%s.key is not encrypted: %v", name, err)
		}
	}
	if err := Init(t.Context(), o); err == nil || !strings.Contains(err.Error(), "is there already") {
		t.Errorf("keys are overwritten: %v", err)
	}
	// A build does without the two keys that belong elsewhere.
	for _, name := range []string{PK, KEK} {
		if err := os.Remove(filepath.Join(dir, name+keySuffix)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Open(t.Context(), dir, "", o.Passphrase, now); err != nil {
		t.Error(err)
	}
}

// TestBroughtKeys: the user's keys stay where they are, in files or behind a program, and sign the same.
func TestBroughtKeys(t *testing.T) {
	dir := t.TempDir()
	sources, certificates, keys := brought(t, dir)
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(tokenVariable, "yes")
	sources[KEK] = "exec:" + program + " " + sources[KEK]
	delete(certificates, KEK)
	options := Options{Dir: filepath.Join(dir, "keys"), Name: "x", Sources: sources, Certificates: certificates, Now: now, Lifetime: time.Hour}
	if err := Init(t.Context(), options); err != nil {
		t.Fatal(err)
	}
	if found, _ := filepath.Glob(filepath.Join(options.Dir, "*"+keySuffix)); len(found) > 0 {
		t.Errorf("keys were copied: %v", found)
	}
	for _, source := range []string{sources[DB], "exec:" + program + " " + sources[DB]} {
		o, err := Open(t.Context(), options.Dir, source, nil, now)
		if err != nil {
			t.Fatal(err)
		}
		signed, err := o.Sign("driver", driver())
		if err != nil {
			t.Fatal(err)
		}
		image, err := authenticode.Read(bytes.NewReader(signed))
		if err != nil || len(image.Signatures) != 1 || !image.Signatures[0].Signer.Equal(keys[DB].Certificate) {
			t.Errorf("%+v, %v", image, err)
		}
	}
}

func TestAlso(t *testing.T) {
	dir := t.TempDir()
	sources, certificates, _ := brought(t, dir)
	_, vendor := pkcs7test.Write(t, dir, "vendor", pkcs7test.ECDSA(t, "vendor", nil))
	bad := filepath.Join(dir, "bad.efi")
	if err := os.WriteFile(bad, driver(), 0o600); err != nil {
		t.Fatal(err)
	}
	o := Options{Dir: filepath.Join(dir, "keys"), Name: "x", Sources: sources, Certificates: certificates, Now: now, Lifetime: time.Hour,
		Also: map[string][]string{KEK: {vendor}, DB: {vendor}, DBX: {bad}}}
	if err := Init(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]int{PK: 1, KEK: 2, DB: 2, DBX: 1} {
		text, err := os.ReadFile(filepath.Join(o.Dir, name+listSuffix))
		if err != nil {
			t.Fatal(err)
		}
		if entries, err := efisig.Decode(text); err != nil || len(entries) != want {
			t.Errorf("%s has %d entries instead of %d: %v", name, len(entries), want, err)
		}
	}
	opened, err := Open(t.Context(), o.Dir, sources[DB], nil, now)
	if err != nil || opened.Variables[DBX] == nil {
		t.Fatal(err)
	}
	if _, err := opened.Sign("driver", driver()); err == nil || !strings.Contains(err.Error(), "dbx forbids its digest") {
		t.Errorf("what dbx forbids is signed: %v", err)
	}
}

// TestOpenRefuses: each error names the file, and knows a next step.
func TestOpenRefuses(t *testing.T) {
	base := t.TempDir()
	sources, certificates, _ := brought(t, base)
	others, otherCertificates, _ := brought(t, t.TempDir())
	write := func(dir string, s, c map[string]string) {
		if err := Init(t.Context(), Options{Dir: dir, Name: "x", Sources: s, Certificates: c, Now: now, Lifetime: time.Hour}); err != nil {
			t.Fatal(err)
		}
	}
	foreign := filepath.Join(base, "foreign")
	write(foreign, others, otherCertificates)
	small, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	weak, _ := pkcs7test.Write(t, base, "weak", pkcs7test.New(t, "weak", small, nil, now.AddDate(1, 0, 0)))
	for name, c := range map[string]struct {
		spoil  func(dir string)
		source string
		now    time.Time
		want   string
		hint   string
	}{
		"nothing there":   {spoil: func(dir string) { os.RemoveAll(dir) }, want: "PK.crt", hint: "stele secureboot init"},
		"no db key":       {source: filepath.Join(base, "absent.key"), want: "absent.key", hint: "--secure-boot-key"},
		"another key":     {source: others[DB], want: "it is not that of", hint: "--secure-boot-key"},
		"weak key":        {source: weak, want: "neither RSA nor ECDSA on P-256"},
		"no variable":     {spoil: func(dir string) { os.Remove(filepath.Join(dir, "KEK.auth")) }, want: "KEK.auth", hint: "stele secureboot init"},
		"foreign KEK":     {spoil: func(dir string) { replace(t, dir, foreign, "KEK.auth") }, want: `KEK.auth": it is signed by "CN=PK", which is not in PK`},
		"foreign db":      {spoil: func(dir string) { replace(t, dir, foreign, "db.auth") }, want: "db.auth"},
		"foreign db.crt":  {spoil: func(dir string) { replace(t, dir, foreign, "db.crt") }, want: "it does not hold"},
		"PK as KEK":       {spoil: func(dir string) { replaceAs(t, dir, dir, "PK.auth", "KEK.auth") }, want: "KEK.auth"},
		"torn variable":   {spoil: func(dir string) { os.Truncate(filepath.Join(dir, "db.auth"), 30) }, want: "db.auth"},
		"expired":         {now: now.AddDate(30, 0, 0), want: "expired on 2040-01-01", hint: "stele secureboot init"},
		"certificate bad": {spoil: func(dir string) { os.WriteFile(filepath.Join(dir, "db.crt"), []byte("x"), 0o600) }, want: "db.crt"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "keys")
			write(dir, sources, certificates)
			if c.spoil != nil {
				c.spoil(dir)
			}
			if c.source == "" {
				c.source = sources[DB]
			}
			if c.now.IsZero() {
				c.now = now
			}
			_, err := Open(t.Context(), dir, c.source, nil, c.now)
			var hinted interface{ Hint() string }
			if err == nil || !strings.Contains(err.Error(), c.want) || c.hint != "" && (!errors.As(err, &hinted) || !strings.Contains(hinted.Hint(), c.hint)) {
				t.Errorf("%v (hint %v), not %q (hint %q)", err, hinted, c.want, c.hint)
			}
		})
	}
}

func replace(t *testing.T, dir, from, name string) { replaceAs(t, dir, from, name, name) }

func replaceAs(t *testing.T, dir, from, name, as string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(from, name))
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, as), text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestInitRefuses(t *testing.T) {
	base := t.TempDir()
	sources, certificates, _ := brought(t, base)
	short := pkcs7test.RSA(t, "short", nil)
	shortKey, shortCertificate := pkcs7test.Write(t, base, "short", pkcs7test.New(t, "short", short.Private, nil, now.AddDate(0, 0, -1)))
	with := func(m map[string]string, name, value string) map[string]string {
		changed := map[string]string{}
		for k, v := range m {
			changed[k] = v
		}
		if changed[name] = value; value == "" {
			delete(changed, name)
		}
		return changed
	}
	for name, c := range map[string]struct {
		o    Options
		want string
	}{
		"no passphrase":           {Options{}, "there is no passphrase"},
		"certificate without key": {Options{Sources: with(sources, DB, ""), Certificates: certificates}, "its key is missing"},
		"another certificate":     {Options{Sources: with(sources, DB, sources[KEK]), Certificates: certificates}, "is of another key"},
		"expired certificate":     {Options{Sources: with(sources, DB, shortKey), Certificates: with(certificates, DB, shortCertificate)}, "expired on 2026-11-26"},
		"missing file":            {Options{Sources: sources, Certificates: certificates, Also: map[string][]string{DB: {"absent"}}}, "absent"},
		"no certificate":          {Options{Sources: sources, Certificates: certificates, Also: map[string][]string{KEK: {sources[PK]}}}, "cannot add"},
	} {
		dir := filepath.Join(t.TempDir(), "keys")
		c.o.Dir, c.o.Name, c.o.Now, c.o.Lifetime = dir, "x", now, time.Hour
		if err := Init(t.Context(), c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, not %q", name, err, c.want)
		}
		if exists(dir) {
			t.Errorf("%s: something was written", name)
		}
	}
}
