package pki

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var testNow = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func testAuthority(t *testing.T) (*Authority, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "pki")
	a, err := Init(dir, "test CA", 24*time.Hour, testNow)
	if err != nil {
		t.Fatal(err)
	}
	return a, dir
}

func TestInitNeverOverwrites(t *testing.T) {
	_, dir := testAuthority(t)
	before, _ := os.ReadFile(filepath.Join(dir, KeyFile))
	if _, err := Init(dir, "again", time.Hour, testNow); err == nil || !strings.Contains(err.Error(), "is there already") {
		t.Errorf("got %v", err)
	}
	if after, _ := os.ReadFile(filepath.Join(dir, KeyFile)); string(after) != string(before) {
		t.Error("the key was changed")
	}
	if info, _ := os.Stat(filepath.Join(dir, KeyFile)); info.Mode().Perm() != 0o600 {
		t.Errorf("the key's mode is %v", info.Mode())
	}
}

func TestIssuedCertificateVerifies(t *testing.T) {
	_, dir := testAuthority(t)
	a, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	certificatePEM, keyPEM, err := a.Issue(Client{"alice", "operator", 12 * time.Hour}, testNow)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.X509KeyPair(certificatePEM, keyPEM)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(a.Certificate)
	verify := func(at time.Time, usage x509.ExtKeyUsage) error {
		_, err := pair.Leaf.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{usage}})
		return err
	}
	if err := verify(testNow, x509.ExtKeyUsageClientAuth); err != nil {
		t.Error(err)
	}
	if verify(testNow.Add(13*time.Hour), x509.ExtKeyUsageClientAuth) == nil || verify(testNow, x509.ExtKeyUsageServerAuth) == nil {
		t.Error("it outlives its time, or serves as a server's")
	}
	if o := pair.Leaf.Subject.Organization; len(o) != 1 || o[0] != "stele:operator" || pair.Leaf.Subject.CommonName != "alice" {
		t.Errorf("subject %s", pair.Leaf.Subject)
	}
}

func TestIssueRefuses(t *testing.T) {
	a, _ := testAuthority(t)
	for want, c := range map[string]Client{
		`no role "root"`:      {"alice", "root", time.Hour},
		"must be positive":    {"alice", "reader", 0},
		"the CA's own ends":   {"alice", "reader", 25 * time.Hour},
		`there is no role ""`: {"alice", "", time.Hour},
	} {
		if _, _, err := a.Issue(c, testNow); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v", want, err)
		}
	}
}

func TestSignMachine(t *testing.T) {
	a, _ := testAuthority(t)
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{
		Subject: pkix.Name{CommonName: "web-1", Organization: []string{"stele:admin"}}, DNSNames: []string{"web-1"}}, key)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := a.SignMachine(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}), time.Hour, testNow)
	if err != nil {
		t.Fatal(err)
	}
	c, err := decodeCertificate(signed)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Subject.Organization) != 0 || len(c.ExtKeyUsage) != 1 || c.ExtKeyUsage[0] != x509.ExtKeyUsageServerAuth {
		t.Error("a machine's certificate must carry no role and be no client's")
	}
	der[len(der)-1] ^= 1
	if _, err := a.SignMachine(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}), time.Hour, testNow); err == nil {
		t.Error("a request with a wrong signature was signed")
	}
	if _, err := a.SignMachine([]byte("nonsense"), time.Hour, testNow); err == nil {
		t.Error("nonsense was signed")
	}
}

func TestLoadRefuses(t *testing.T) {
	_, dir := testAuthority(t)
	_, other := testAuthority(t)
	foreign, _ := os.ReadFile(filepath.Join(other, KeyFile))
	if err := os.WriteFile(filepath.Join(dir, KeyFile), foreign, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(dir); err == nil || !strings.Contains(err.Error(), "do not belong together") {
		t.Errorf("got %v", err)
	}
	if _, err := Load(t.TempDir()); err == nil {
		t.Error("an empty directory is no CA")
	}
}
