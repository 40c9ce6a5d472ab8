package assemble

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stele-os/stele/builder/secureboot"
	"github.com/stele-os/stele/internal/oracle"
	"github.com/stele-os/stele/internal/pkcs7/pkcs7test"
)

// signing makes keys like those of `stele secureboot init`, and returns what signs with them and db's certificate.
func signing(t *testing.T) (*SecureBoot, string) {
	t.Helper()
	o := secureboot.Options{
		Dir: filepath.Join(t.TempDir(), "keys"), Name: "test", Now: time.Unix(1_700_000_000, 0), Lifetime: time.Hour,
		Sources: map[string]string{}, Certificates: map[string]string{},
	}
	for _, name := range secureboot.Keys {
		o.Sources[name], o.Certificates[name] = pkcs7test.Write(t, t.TempDir(), name, pkcs7test.RSA(t, name, nil))
	}
	if err := secureboot.Init(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	opened, err := secureboot.Open(t.Context(), o.Dir, o.Sources[secureboot.DB], nil, o.Now)
	if err != nil {
		t.Fatal(err)
	}
	return &SecureBoot{Sign: opened.Sign, Variables: opened.Variables, Enroll: "if-safe"}, o.Certificates[secureboot.DB]
}

// TestSecureBoot: sbverify accepts all that firmware starts, the variables lie where the loader looks, and a second build gives the same bytes.
func TestSecureBoot(t *testing.T) {
	signer, certificate := signing(t)
	s, again := testSpec(t), testSpec(t)
	s.SecureBoot, again.SecureBoot = signer, signer
	r := writeImage(t, s)
	writeImage(t, again)
	for _, name := range []string{UKIFile, DiskFile} {
		if sum(t, filepath.Join(s.OutputDir, name)) != sum(t, filepath.Join(again.OutputDir, name)) {
			t.Errorf("%s differs between two builds", name)
		}
	}
	esp := extract(t, filepath.Join(s.OutputDir, DiskFile), r.Table, PartitionESP)
	for _, path := range []string{"EFI/BOOT/BOOTX64.EFI", "EFI/Linux/stele_1.2.3.efi", "EFI/systemd/drivers/bootguardx64.efi"} {
		file := filepath.Join(t.TempDir(), "image.efi")
		oracle.Run(t, "mcopy", "-i", esp, "::/"+path, file)
		if out := oracle.Run(t, "sbverify", "--cert", certificate, file); !strings.Contains(out, "Signature verification OK") {
			t.Errorf("%s: %s", path, out)
		}
	}
	if got := oracle.Run(t, "mtype", "-i", esp, "::/loader/loader.conf"); got != loaderConf+"secure-boot-enroll if-safe\n" {
		t.Errorf("%q", got)
	}
	for name, want := range signer.Variables {
		file := filepath.Join(t.TempDir(), name)
		oracle.Run(t, "mcopy", "-i", esp, "::/loader/keys/auto/"+name+".auth", file)
		if got, err := os.ReadFile(file); err != nil || string(got) != string(want) {
			t.Errorf("%s on the ESP is another one: %v", name, err)
		}
	}
}
