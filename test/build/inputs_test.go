//go:build qemu

package build

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stele-os/stele/api/v1alpha1"
	"github.com/stele-os/stele/builder"
	"github.com/stele-os/stele/builder/definition"
	"github.com/stele-os/stele/builder/oci"
	"github.com/stele-os/stele/builder/store"
	"github.com/stele-os/stele/internal/oracle"
	"github.com/stele-os/stele/test/registry"
)

// everyInput is a definition with each kind of input that the demo image has not: %s are base, kernel and an image in a registry.
const everyInput = `apiVersion: stele/v1alpha1
kind: Image
base: %s
name: inputs
kernel: {image: %s}
rootFormat: %s
document: machine.yaml
files:
  - {path: /etc/web/motd, source: motd}
  - {path: /etc/web/inline, content: "inline", mode: "0400"}
images:
  - {name: layout, source: "oci-layout:layout"}
  - {name: pulled, source: "docker://%s"}
metadata: {platform: none}
`

// TestEveryInputIsOnTheRoot builds with both root formats, and has Debian's tool take the roots apart.
func TestEveryInputIsOnTheRoot(t *testing.T) {
	from, manifest := image(t)
	arch := definition.Arch(manifest.Architecture)
	program, err := registry.BinaryImage(arch.Go(), []byte("the program"))
	if err != nil {
		t.Fatal(err)
	}
	r := registry.Start(t)
	pulled := r.Address() + "/web@" + r.Push(t, "web:1", program)
	for _, format := range []string{definition.RootEROFS, definition.RootEROFSLZ4HC} {
		t.Run(format, func(t *testing.T) {
			dir := checkout(t, "../..")
			base := filepath.Join(dir, "images", "base.yaml")
			kernel, err := filepath.Abs(filepath.Join(from, "vmlinuz"))
			if err != nil {
				t.Fatal(err)
			}
			if err := oci.WriteLayout(filepath.Join(dir, "layout"), program); err != nil {
				t.Fatal(err)
			}
			for name, content := range map[string]string{
				"inputs.yaml": fmt.Sprintf(everyInput, base, kernel, format, pulled), "machine.yaml": "kind: Machine\n", "motd": "copied",
			} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			cache, err := store.DefaultDir(os.Getenv)
			if err != nil {
				t.Fatal(err)
			}
			var log bytes.Buffer
			if _, err := builder.Build(t.Context(), builder.Options{
				Definition: filepath.Join(dir, "inputs.yaml"), Lock: filepath.Join(dir, "images", "lock.yaml"), Arch: arch,
				Output: filepath.Join(dir, "out"), StoreDir: cache, Mirror: os.Getenv("DEBIAN_MIRROR"), Progress: &log,
			}); err != nil {
				t.Fatalf("%v\n%s", err, &log)
			}
			root := filepath.Join(t.TempDir(), "root")
			oracle.Run(t, "fsck.erofs", "--extract="+root, filepath.Join(dir, "out", "root.erofs"))
			for path, want := range map[string]string{
				"/etc/web/motd": "copied", "/etc/web/inline": "inline", v1alpha1.ImageDocumentPath: "kind: Machine\n",
				v1alpha1.BakedImagesPath + "/layout/rootfs/program": "the program",
				v1alpha1.BakedImagesPath + "/pulled/rootfs/program": "the program",
			} {
				if got, err := os.ReadFile(filepath.Join(root, path)); err != nil || string(got) != want {
					t.Errorf("%s holds %q, want %q: %v", path, got, want, err)
				}
			}
		})
	}
}
