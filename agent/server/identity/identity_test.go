package identity

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stele-os/stele/agent/fault"
)

var (
	built = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	today = time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
)

func open(t *testing.T, dir string, now *time.Time) (*Identity, []string) {
	t.Helper()
	id, notes, err := Open(Options{Dir: dir, Now: func() time.Time { return *now }, NotBefore: built})
	if err != nil {
		t.Fatal(err)
	}
	return id, notes
}

func status(t *testing.T, id *Identity) Status {
	t.Helper()
	s, err := id.Status()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestKeyStays(t *testing.T) {
	dir, now := filepath.Join(t.TempDir(), "identity"), today
	first, notes := open(t, dir, &now)
	if len(notes) > 0 {
		t.Error(notes)
	}
	info, err := os.Stat(filepath.Join(dir, keyFile))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Error(info, err)
	}
	if err := first.SetNames("web-1", []netip.Addr{netip.MustParseAddr("192.0.2.7"), netip.MustParseAddr("2001:db8::7")}); err != nil {
		t.Fatal(err)
	}
	second, _ := open(t, dir, &now)
	if a, b := status(t, first), status(t, second); a.Fingerprint != b.Fingerprint || !strings.HasPrefix(a.Fingerprint, "SHA256:") {
		t.Errorf("%q, then %q", a.Fingerprint, b.Fingerprint)
	}
	c, _ := first.Certificate()
	if c.Leaf.Subject.CommonName != "web-1" || c.Leaf.VerifyHostname("web-1") != nil || c.Leaf.VerifyHostname("2001:db8::7") != nil {
		t.Error(c.Leaf.Subject, c.Leaf.DNSNames, c.Leaf.IPAddresses)
	}
}

func TestSelfSignedAllowsForWrongClock(t *testing.T) {
	now := today.AddDate(10, 0, 0) // a clock that is wrong the other way round
	id, _ := open(t, t.TempDir(), &now)
	c, _ := id.Certificate()
	if !c.Leaf.NotBefore.Equal(built) || !c.Leaf.NotAfter.After(now) {
		t.Errorf("from %s to %s", c.Leaf.NotBefore, c.Leaf.NotAfter)
	}
}

func TestSelfSignedIsRenewedWithTheSameKey(t *testing.T) {
	now := today
	id, _ := open(t, t.TempDir(), &now)
	before := status(t, id)
	now = today.Add(selfSignedLife * 60 / 100)
	if s := status(t, id); !s.NotAfter.Equal(before.NotAfter) {
		t.Error("renewed too early")
	}
	now = today.Add(selfSignedLife * 67 / 100)
	if s := status(t, id); s.NotAfter.Equal(before.NotAfter) || s.Fingerprint != before.Fingerprint {
		t.Errorf("%+v, then %+v", before, s)
	}
}

func TestTornKey(t *testing.T) {
	now := today
	for name, content := range map[string]string{"empty": "", "half": "-----BEGIN PRIVATE KEY-----\nMIGH", "NUL": strings.Repeat("\x00", 241)} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, keyFile), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			id, notes := open(t, dir, &now)
			if len(notes) != 1 || !strings.Contains(notes[0], "key is lost") {
				t.Error(notes)
			}
			again, notes := open(t, dir, &now)
			if len(notes) > 0 || status(t, id).Fingerprint != status(t, again).Fingerprint {
				t.Error(notes)
			}
		})
	}
}

func TestKeyThatCannotBeStored(t *testing.T) {
	dir, now := filepath.Join(t.TempDir(), "identity"), today
	if err := os.WriteFile(dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	id, notes := open(t, dir, &now)
	if s := status(t, id); len(notes) == 0 || !strings.Contains(s.Warning, "memory only") {
		t.Error(notes, s.Warning)
	}
	os.Remove(dir)
	if err := id.Save(); err != nil || status(t, id).Warning != "" {
		t.Error(err)
	}
	again, _ := open(t, dir, &now)
	if status(t, again).Fingerprint != status(t, id).Fingerprint {
		t.Error("another key was stored")
	}
}

// authority is a CA of a test.
type authority struct {
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
}

func newAuthority(t testing.TB, parent *authority, name string) *authority {
	t.Helper()
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	a := &authority{key: key}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: built, NotAfter: today.AddDate(5, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	by, byKey := template, key
	if parent != nil {
		by, byKey = parent.cert, parent.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, by, key.Public(), byKey)
	if err != nil {
		t.Fatal(err)
	}
	a.cert, _ = x509.ParseCertificate(der)
	return a
}

func (a *authority) sign(t testing.TB, public any, change func(*x509.Certificate)) string {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "web-1"}, NotBefore: today.Add(-time.Hour), NotAfter: today.AddDate(0, 0, 90),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	if change != nil {
		change(template)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, public, a.key)
	if err != nil {
		t.Fatal(err)
	}
	return inPEM(der)
}

func inPEM(der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func publicKey(t testing.TB, id *Identity) any {
	t.Helper()
	request, err := id.Request()
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(request)
	parsed, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil || parsed.CheckSignature() != nil {
		t.Fatal(err)
	}
	return parsed.PublicKey
}

func TestInstall(t *testing.T) {
	dir, now := t.TempDir(), today
	id, _ := open(t, dir, &now)
	root := newAuthority(t, nil, "root")
	middle := newAuthority(t, root, "middle")
	before := status(t, id)
	notAfter, err := id.Install([]byte(middle.sign(t, publicKey(t, id), nil)+inPEM(middle.cert.Raw)), true)
	if err != nil || !notAfter.Equal(today.AddDate(0, 0, 90)) {
		t.Fatal(notAfter, err)
	}
	again, notes := open(t, dir, &now)
	for _, i := range []*Identity{id, again} {
		if s := status(t, i); s.SelfSigned || len(s.Certificates) != 2 || s.Fingerprint != before.Fingerprint || s.Warning != "" {
			t.Errorf("%+v %v", s, notes)
		}
	}
	now = today.AddDate(0, 0, 70)
	if s := status(t, id); s.SelfSigned || !strings.Contains(s.Warning, "install a new one") {
		t.Errorf("%+v", s)
	}
	now = today.AddDate(0, 0, 91)
	if s := status(t, id); !s.SelfSigned || s.Fingerprint != before.Fingerprint || !strings.Contains(s.Warning, "is over") {
		t.Errorf("%+v", s)
	}
}

func TestInstallRefuses(t *testing.T) {
	now := today
	id, _ := open(t, t.TempDir(), &now)
	root, public := newAuthority(t, nil, "root"), publicKey(t, id)
	other, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	good := root.sign(t, public, nil)
	for _, tt := range []struct{ name, content, want string }{
		{"nothing", "", "no certificate"},
		{"text", "hello", "something else than PEM"},
		{"another key", root.sign(t, other.Public(), nil), "another key"},
		{"over", root.sign(t, public, func(c *x509.Certificate) { c.NotAfter = today.Add(-time.Minute) }), "is over since"},
		{"not yet", root.sign(t, public, func(c *x509.Certificate) { c.NotBefore = today.Add(time.Minute) }), "not valid before"},
		{"a client's", root.sign(t, public, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }), "server authentication"},
		{"a CA's", root.sign(t, public, func(c *x509.Certificate) { c.IsCA, c.BasicConstraintsValid = true, true }), "a CA's"},
		{"no signature", root.sign(t, public, func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment }), "digital signature"},
		{"a foreign chain", good + inPEM(newAuthority(t, nil, "root").cert.Raw), "has not signed"},
		{"a key in it", good + "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "certificates only"},
		{"too many", strings.Repeat(good, 9), "more than 8"},
		{"too large", strings.Repeat("\n", maxPEMBytes+1), "larger than"},
		{"garbage", inPEM([]byte("garbage")), "certificate 1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := id.Install([]byte(tt.content), true)
			if err == nil || !strings.Contains(err.Error(), tt.want) || fault.KindOf(err) != fault.Invalid {
				t.Errorf("%v (%s)", err, fault.KindOf(err))
			}
			if !status(t, id).SelfSigned {
				t.Error("it is shown")
			}
		})
	}
	if _, err := id.Install([]byte(root.sign(t, public, func(c *x509.Certificate) { c.NotBefore = today.Add(time.Minute) })), false); err != nil {
		t.Errorf("refused although the clock is not to be trusted: %v", err)
	}
}

func FuzzInstall(f *testing.F) {
	now := today
	id, _, err := Open(Options{Dir: f.TempDir(), Now: func() time.Time { return now }, NotBefore: built})
	if err != nil {
		f.Fatal(err)
	}
	root := newAuthority(f, nil, "root")
	f.Add([]byte(root.sign(f, publicKey(f, id), nil)))
	f.Add([]byte(root.sign(f, publicKey(f, id), nil) + inPEM(root.cert.Raw)))
	f.Fuzz(func(t *testing.T, content []byte) {
		if _, err := id.Install(content, true); err != nil {
			return
		}
		if c, err := id.Certificate(); err != nil || !id.key.PublicKey.Equal(c.Leaf.PublicKey) {
			t.Errorf("a certificate for another key is shown: %v", err)
		}
	})
}
