//go:build qemu

package qemu

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	nodev1 "github.com/stele-os/stele/api/node/v1"
	"github.com/stele-os/stele/builder/secureboot"
	"github.com/stele-os/stele/internal/oracle"
	"github.com/stele-os/stele/operator/node"
	"github.com/stele-os/stele/test/qemu/machine"
	"github.com/stele-os/stele/test/scratch"
	"github.com/stele-os/stele/test/versions"
)

// keys makes Secure Boot keys.
func keys(t *testing.T, name string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), name)
	if err := secureboot.Init(t.Context(), secureboot.Options{Dir: dir, Name: name, Unencrypted: true, Now: time.Now(), Lifetime: 24 * time.Hour}); err != nil {
		t.Fatal(err)
	}
	return dir
}

// One machine's way: it enrols the keys of its image, takes an update by the right key and none by another one or below its security floor; then its
// disk is tampered with, and every entry that is not what was signed is refused by the firmware, until the good version is back.
func TestSecureBoot(t *testing.T) {
	k, ours, foreign := ownUpdates(t, "secure-boot"), keys(t, "ours"), keys(t, "foreign")
	first := k.image(t, versions.Version{Number: "0.1.0", SecureBoot: ours})
	second := k.publish(t, versions.Version{Number: "0.2.0", SecureBoot: ours, Security: 2})
	strange := k.publish(t, versions.Version{Number: "0.3.0", SecureBoot: foreign, Security: 2})
	k.publish(t, versions.Version{Number: "0.3.1", SecureBoot: ours, Security: 1})
	unsigned := k.image(t, versions.Version{Number: "0.4.0"})
	o := k.options(t, demoContainer)
	o.SecureBoot, o.Dir = true, scratch.Dir(t)

	g := bootImage(t, first, o)
	g.expect(`Custom Secure Boot keys successfully enrolled`)
	g.serving()
	c := k.node(g, "operator")
	if m := g.status(c).GetMachine(); m.GetSecureBoot() != "enabled" {
		t.Fatalf("Secure Boot is %q (%s)", m.GetSecureBoot(), m.GetSecureBootReason())
	}
	if err := g.stage(c, "0.3.0"); err == nil || !strings.Contains(err.Error(), "the firmware, whose Secure Boot is enabled, would refuse it") {
		t.Errorf("signed by another key: %v", err)
	}
	if b := slot(g.status(c), "b"); b.GetCondition() != "empty" {
		t.Errorf("after the refusal: %v", b)
	}
	if err := g.stage(c, "0.2.0"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := g.context()
	defer cancel()
	before := g.status(c).GetBoots()[0].GetId()
	if _, err := node.Ask(ctx, c.Updates.Apply, &nodev1.ApplyUpdateRequest{Version: "0.2.0"}); err != nil {
		t.Fatal(err)
	}
	if err := c.WaitCommitted(ctx, "0.2.0", before, func(node.Waiting) {}); err != nil {
		t.Fatal(err)
	}
	if err := g.stage(c, "0.3.1"); err == nil || !strings.Contains(err.Error(), "its security version is 1, and this machine takes 2 or more") {
		t.Errorf("below the security floor: %v", err)
	}
	g.Cut()

	good := read(t, second.File("uki.efi"))
	esp := espOf(t, first, g.DiskPath(0))
	for name, content := range map[string][]byte{
		"stele_0.9.0+1.efi": edited(t, good, `IMAGE_VERSION="0.2.0"`, `IMAGE_VERSION="0.9.0"`), // one byte
		"stele_0.8.0+1.efi": edited(t, edited(t, good, `IMAGE_VERSION="0.2.0"`, `IMAGE_VERSION="0.8.0"`), "root=/dev/dm-0 ro ", "root=/dev/dm-0 rw "),
		"stele_0.3.0+1.efi": read(t, strange.File("uki.efi")),
		"stele_0.4.0+1.efi": read(t, unsigned.File("uki.efi")),
	} {
		esp.write("EFI/Linux/"+name, content)
	}
	// When these are used up, an entry of another kind hands options to the good UKI; the stub must not take them: no machine would start with these.
	oracle.Run(t, "mmd", "-i", esp.image, "::/loader/entries")
	esp.write("loader/entries/edited.conf", []byte("title edited\nsort-key demo\nversion 0.2.5\nefi /EFI/Linux/stele_0.2.0.efi\noptions root=/dev/vda6 init=/bin/sh\n"))
	g = bootImage(t, first, o)
	g.expect(`^stele: .*demo 0\.2\.0, agent started`)
	g.serving()
	g.Cut()
	var refused []string
	for _, line := range g.Console.Lines(0) {
		if strings.Contains(line.Text, `\EFI\Linux\`) && strings.Contains(line.Text, "Error") {
			refused = append(refused, line.Text)
		}
	}
	if t.Logf("%q", refused); len(refused) != 4 {
		t.Errorf("%d boot entries were refused, not 4", len(refused))
	}
	names := oracle.Run(t, "mdir", "-b", "-i", esp.image, "::/EFI/Linux")
	for _, version := range []string{"0.9.0", "0.8.0", "0.4.0", "0.3.0"} {
		if !strings.Contains(names, "/stele_"+version+"+0-1.efi\n") {
			t.Errorf("entry %s was not tried once:\n%s", version, names)
		}
	}

	loader := map[string]string{"x86_64": "BOOTX64.EFI", "arm64": "BOOTAA64.EFI"}[first.Manifest.Architecture]
	esp.write("EFI/BOOT/"+loader, read(t, unsigned.File("uki.efi"))) // any program that nobody has signed
	g = bootImage(t, first, o)
	g.expect(`BdsDxe: failed to (load|start) Boot.*(Access Denied|Security Violation)`)
}

// espFiles is the ESP of a disk that no machine uses, for mtools.
type espFiles struct {
	t     *testing.T
	image string
}

func espOf(t *testing.T, built machine.Image, disk string) espFiles {
	t.Helper()
	return espFiles{t, fmt.Sprintf("%s@@%d", disk, built.Manifest.Partitions[0].StartBytes)}
}

func (e espFiles) write(path string, content []byte) {
	e.t.Helper()
	file := filepath.Join(e.t.TempDir(), "file")
	if err := os.WriteFile(file, content, 0o600); err != nil {
		e.t.Fatal(err)
	}
	oracle.Run(e.t, "mcopy", "-o", "-i", e.image, file, "::/"+path)
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// edited has one text in the place of another of the same length.
func edited(t *testing.T, content []byte, from, to string) []byte {
	t.Helper()
	if !bytes.Contains(content, []byte(from)) || len(from) != len(to) {
		t.Fatalf("there is no %q to edit", from)
	}
	return bytes.Replace(content, []byte(from), []byte(to), 1)
}
