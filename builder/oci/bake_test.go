package oci

import (
	"archive/tar"
	"fmt"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/stele-os/stele/builder/tree"
)

func testImage(t *testing.T) v1.Image {
	t.Helper()
	image, err := fromLayers("amd64", v1.Config{Entrypoint: []string{"/app"}},
		layerOf(t, "app=one", "etc/", "etc/old=x"), layerOf(t, "app=two", "etc/.wh.old", "etc/new->old", "zap=>app"))
	if err != nil {
		t.Fatal(err)
	}
	return image
}

func show(t *testing.T, entries []tree.Entry) string {
	t.Helper()
	var b strings.Builder
	for _, e := range entries {
		fmt.Fprintf(&b, "%v %s", e.Mode, e.Path)
		if e.Target != "" {
			fmt.Fprintf(&b, " -> %s", e.Target)
		}
		if e.HardLink != "" {
			fmt.Fprintf(&b, " => %s", e.HardLink)
		}
		if e.Open != nil && filepath.Base(e.Path) != "config.json" {
			r, err := e.Open()
			if err != nil {
				t.Fatal(err)
			}
			data, err := io.ReadAll(r)
			if err != nil || int64(len(data)) != e.Size {
				t.Fatalf("%s: %d bytes, error %v, want %d", e.Path, len(data), err, e.Size)
			}
			r.Close()
			fmt.Fprintf(&b, " = %s", data)
		}
		b.WriteString("\n")
	}
	return b.String()
}

const testListing = `-r--r--r-- /usr/lib/stele/images/web/config.json
drwxr-xr-x /usr/lib/stele/images/web/rootfs
-rw-r--r-- /usr/lib/stele/images/web/rootfs/app = two
drwxr-x--- /usr/lib/stele/images/web/rootfs/etc
Lrwxrwxrwx /usr/lib/stele/images/web/rootfs/etc/new -> old
---------- /usr/lib/stele/images/web/rootfs/zap => /usr/lib/stele/images/web/rootfs/app
`

// TestOpenAndBake brings one image in by every way, with the same result.
func TestOpenAndBake(t *testing.T) {
	image := testImage(t)
	digest, err := image.Digest()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	layoutDir := filepath.Join(dir, "layout")
	if err := WriteLayout(layoutDir, image); err != nil {
		t.Fatal(err)
	}
	archive := filepath.Join(dir, "archive.tar")
	packDir(t, layoutDir, archive)
	saved := filepath.Join(dir, "saved.tar")
	tag, _ := name.NewTag("example.com/web:1")
	if err := tarball.WriteToFile(saved, tag, image); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	defer server.Close()
	reference := strings.TrimPrefix(server.URL, "http://") + "/web@" + digest.String()
	ref, err := name.NewDigest(reference)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(ref, image); err != nil {
		t.Fatal(err)
	}
	for _, source := range []string{"oci-layout:" + layoutDir, "oci-archive:" + archive, "oci-archive:" + saved, "docker://" + reference} {
		t.Run(strings.Split(source, ":")[0], func(t *testing.T) {
			work := t.TempDir()
			opened, err := Open(t.Context(), source, "amd64", work)
			if err != nil {
				t.Fatal(err)
			}
			baked, err := Bake(t.Context(), "web", opened, work)
			if err != nil {
				t.Fatal(err)
			}
			if got := show(t, baked.Entries); got != testListing {
				t.Errorf("entries:\n%swant:\n%s", got, testListing)
			}
			if baked.Info.Name != "web" || source != "oci-archive:"+saved && baked.Info.Digest != digest.String() {
				t.Errorf("info %+v, want digest %s", baked.Info, digest)
			}
			if err := tree.New().Add("test", baked.Entries...); err != nil {
				t.Error(err)
			}
		})
	}
}

func packDir(t *testing.T, dir, target string) {
	t.Helper()
	f, err := os.Create(target)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := tar.NewWriter(f)
	if err := w.AddFS(os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestBakeRefusesCorruption(t *testing.T) {
	image := testImage(t)
	digest, _ := image.Digest()
	config, _ := image.ConfigName()
	layers, _ := image.Layers()
	layer, _ := layers[1].Digest()
	for what, hash := range map[string]v1.Hash{"manifest": digest, "configuration": config, "layer": layer} {
		t.Run(what, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "layout")
			if err := WriteLayout(dir, image); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, "blobs", hash.Algorithm, hash.Hex)
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			data[len(data)/2] ^= 1
			if err := os.WriteFile(path, data, 0o644); err != nil {
				t.Fatal(err)
			}
			work := t.TempDir()
			opened, err := Open(t.Context(), "oci-layout:"+dir, "amd64", work)
			if err == nil {
				_, err = Bake(t.Context(), "web", opened, work)
			}
			if err == nil {
				t.Fatal("a flipped bit went unnoticed")
			}
			if left, _ := filepath.Glob(filepath.Join(work, "*")); len(left) > 0 {
				t.Errorf("half a result is left behind: %q", left)
			}
		})
	}
}

func TestOpenNamesWhatIsMissing(t *testing.T) {
	dir := t.TempDir()
	arm := filepath.Join(dir, "arm")
	image, err := fromLayers("arm64", v1.Config{}, layerOf(t, "a=1"))
	if err != nil {
		t.Fatal(err)
	}
	if err := WriteLayout(arm, image); err != nil {
		t.Fatal(err)
	}
	for source, want := range map[string]string{
		"oci-layout:" + dir + "/none":         "there is no OCI layout",
		"oci-archive:" + dir + "/none.tar":    "no such file",
		"oci-layout:" + arm:                   "no image for linux/amd64",
		"docker://example.com/web:1":          "reference by digest",
		"floppy:a":                            "not known",
		"oci-archive:" + arm + "/oci-layout":  "",
		"docker://example.com/web@sha256:abc": "reference by digest",
	} {
		_, err := Open(t.Context(), source, "amd64", dir)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), source) {
			t.Errorf("%s: error %v, want one with the source and %q", source, err, want)
			continue
		}
		if h, ok := err.(interface{ Hint() string }); !ok || h.Hint() == "" {
			t.Errorf("%s: the error has no hint", source)
		}
	}
}

func TestFromGoBinary(t *testing.T) {
	program := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(program, []byte("#!"), 0o755); err != nil {
		t.Fatal(err)
	}
	var digests [2]v1.Hash
	for i := range digests {
		image, err := FromGoBinary(program, "demo", "amd64", nil)
		if err != nil {
			t.Fatal(err)
		}
		digests[i], _ = image.Digest()
		baked, err := Bake(t.Context(), "demo", image, t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		if got := show(t, baked.Entries); !strings.Contains(got, "-rwxr-xr-x /usr/lib/stele/images/demo/rootfs/demo = #!") {
			t.Errorf("entries:\n%s", got)
		}
		config, _ := image.ConfigFile()
		if fmt.Sprint(config.Config.Entrypoint) != "[/demo]" {
			t.Errorf("entrypoint %v", config.Config.Entrypoint)
		}
	}
	if digests[0] != digests[1] {
		t.Errorf("the same program makes images %v", digests)
	}
}
