package artifact

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/pem"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stele-os/stele/builder/definition"
	"github.com/stele-os/stele/builder/store"
	"github.com/stele-os/stele/internal/oracle"
)

// fakePackage is a .deb with the given files, uncompressed.
func fakePackage(t *testing.T, files ...[2]string) Package {
	t.Helper()
	var data bytes.Buffer
	w := tar.NewWriter(&data)
	for _, f := range files {
		if err := w.WriteHeader(&tar.Header{Name: "." + f[0], Mode: 0o644, Size: int64(len(f[1])), Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(f[1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	deb := fmt.Sprintf("!<arch>\n%-16s%-12d%-6d%-6d%-8s%-10d`\n%s", "data.tar", 0, 0, 0, "100644", data.Len(), data.String())
	path := filepath.Join(t.TempDir(), "fake.deb")
	if err := os.WriteFile(path, []byte(deb), 0o644); err != nil {
		t.Fatal(err)
	}
	return Package{Name: "fake", SHA256: fmt.Sprintf("%x", sha256.Sum256([]byte(deb))), Fetch: func(context.Context) (string, error) { return path, nil }}
}

func cook(t *testing.T, r Recipe) (*store.Artifact, error) {
	t.Helper()
	s, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return s.Artifact(context.Background(), r.Key, r.Build)
}

func TestBootLoader(t *testing.T) {
	p := fakePackage(t, [2]string{"/usr/lib/systemd/boot/efi/systemd-bootaa64.efi", "loader"}, [2]string{"/usr/lib/systemd/boot/efi/linuxaa64.efi.stub", "stub"})
	a, err := cook(t, BootLoader(p, definition.ARM64))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{LoaderName: "loader", StubName: "stub"} {
		if got, _ := os.ReadFile(a.Path(name)); string(got) != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	if _, err := cook(t, BootLoader(p, definition.X8664)); err == nil || !strings.Contains(err.Error(), `in package "fake"`) {
		t.Errorf("other architecture: got %v", err)
	}
}

func TestCertificates(t *testing.T) {
	certificate := func(content string) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte(content)}))
	}
	const dir = "/usr/share/ca-certificates/mozilla/"
	a, err := cook(t, Certificates(fakePackage(t, [2]string{dir + "B.crt", certificate("b")}, [2]string{dir + "A.crt", "# comment\n" + certificate("a")}, [2]string{"/etc/x.crt", "no"})))
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(a.Path(CertificatesName)); string(got) != certificate("a")+certificate("b") {
		t.Errorf("got %s", got)
	}
	for name, p := range map[string]Package{"no PEM": fakePackage(t, [2]string{dir + "A.crt", "text"}), "none": fakePackage(t, [2]string{"/a", ""})} {
		if _, err := cook(t, Certificates(p)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestDigestPackagesFollowsImports(t *testing.T) {
	root := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := writeFile(filepath.Join(root, name), strings.NewReader(text)); err != nil {
			t.Fatal(err)
		}
	}
	digest := func() string {
		t.Helper()
		d, err := digestPackages(root, "cmd/x")
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	write("cmd/x/main.go", "package main\nimport _ \""+modulePath+"/lib\"\n")
	write("lib/lib.go", "package lib\nconst Tags = \"a b\"\n")
	write("other/other.go", "package other\n")
	before := digest()
	for _, c := range []struct {
		name    string
		changes bool
	}{
		{"other/other.go", false}, {"lib/lib_test.go", false}, {"lib/testdata/x", false}, {"lib/sub/sub.go", false},
		{"lib/data/template", true}, {"lib/more.go", true}, {"cmd/x/main.go", true},
	} {
		write(c.name, "package changed\n")
		after := digest()
		if (after != before) != c.changes {
			t.Errorf("%s: changed %v, want %v", c.name, after != before, c.changes)
		}
		before = after
	}
	g := &Go{Root: root}
	if got, err := g.Constant("lib", "Tags"); got != "a b" || err != nil {
		t.Errorf("Constant: %q, %v", got, err)
	}
	if _, err := g.Constant("lib", "None"); err == nil {
		t.Error("Constant: found what is not there")
	}
}

// TestVarTemplate makes the file system twice and asks e2fsck about it.
func TestVarTemplate(t *testing.T) {
	oracle.Tool(t, "mke2fs")
	recipe, err := VarTemplate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	first, err := cook(t, recipe)
	if err != nil {
		t.Fatal(err)
	}
	second, err := cook(t, recipe)
	if err != nil {
		t.Fatal(err)
	}
	if !maps.Equal(first.Files, second.Files) || len(first.Files) != 2 {
		t.Errorf("two builds differ: %v, %v", first.Files, second.Files)
	}
	image := filepath.Join(t.TempDir(), "var.ext4")
	decompress(t, first.Path(VarName), image)
	oracle.Run(t, "e2fsck", "-fn", image)
}

func TestToolName(t *testing.T) {
	for line, want := range map[string]string{
		"gcc (Debian 12.2.0-14) 12.2.0":             "gcc",
		"GNU ld (GNU Binutils for Debian) 2.40":     "ld",
		"*** LZ4 command line interface v1.9.4 ***": "lz4",
	} {
		if got := toolName(line); got != want {
			t.Errorf("%q: got %q, want %q", line, got, want)
		}
	}
}
