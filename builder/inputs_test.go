package builder

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/stele-os/stele/api/v1alpha1"
	"github.com/stele-os/stele/builder/artifact"
	"github.com/stele-os/stele/builder/definition"
	"github.com/stele-os/stele/builder/oci"
	"github.com/stele-os/stele/builder/store"
	"github.com/stele-os/stele/builder/tree"
	"github.com/stele-os/stele/test/registry"
)

// loaded is a build of a definition that stands in dir, as far as the image step: every compiled part is a file with its own name in it.
func loaded(t *testing.T, dir, text string) *build {
	t.Helper()
	d, err := definition.Load(write(t, filepath.Join(dir, "web.yaml"), minimal+text))
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(filepath.Join(dir, "store"))
	if err != nil {
		t.Fatal(err)
	}
	b := &build{definition: d, store: s, options: Options{Arch: definition.X8664}, progress: newProgress(io.Discard, false, false, steps)}
	for _, p := range []struct{ part, file string }{
		{partAgent, artifact.AgentName}, {partRunc, artifact.RuncName}, {partCertificates, artifact.CertificatesName}, {partVar, artifact.VarName},
	} {
		write(t, filepath.Join(dir, p.file), p.file)
		b.parts = append(b.parts, part{name: p.part, Artifact: &store.Artifact{Dir: dir}})
	}
	if b.document, err = b.readDocument(); err != nil {
		t.Fatal(err)
	}
	if b.updateRoot, err = readUpdateRoot(d.Update.Root); err != nil {
		t.Fatal(err)
	}
	return b
}

// contents makes the root and returns its files' contents by path.
func contents(t *testing.T, b *build) (map[string]string, v1alpha1.ImageInfo) {
	t.Helper()
	if err := b.bakeImages(t.Context()); err != nil {
		t.Fatal(err)
	}
	root, info, err := b.rootTree(t.Context(), v1alpha1.ImageInfo{Name: "web", Version: "1.2.3", Architecture: "x86_64"}, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, e := range root.Entries() {
		if e.Open != nil {
			files[e.Path] = read(t, e)
		}
	}
	return files, info
}

func read(t *testing.T, e tree.Entry) string {
	t.Helper()
	r, err := e.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func program(t *testing.T, content string) v1.Image {
	t.Helper()
	image, err := registry.BinaryImage("amd64", []byte(content))
	if err != nil {
		t.Fatal(err)
	}
	return image
}

// pack makes a tar file of a directory.
func pack(t *testing.T, dir, file string) {
	t.Helper()
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	if err := errors.Join(w.AddFS(os.DirFS(dir)), w.Close()); err != nil {
		t.Fatal(err)
	}
	write(t, file, archive.String())
}

// TestImageSources bakes one image by every kind of source, named as in a definition: relative to its file.
func TestImageSources(t *testing.T) {
	dir := t.TempDir()
	image := program(t, "program one")
	digest, err := image.Digest()
	if err != nil {
		t.Fatal(err)
	}
	if err := oci.WriteLayout(filepath.Join(dir, "layout"), image); err != nil {
		t.Fatal(err)
	}
	tag, err := name.NewTag("example.com/web:1")
	if err != nil {
		t.Fatal(err)
	}
	if err := tarball.WriteToFile(filepath.Join(dir, "saved.tar"), tag, image); err != nil {
		t.Fatal(err)
	}
	pack(t, filepath.Join(dir, "layout"), filepath.Join(dir, "archive.tar"))
	r := registry.Start(t)
	r.Push(t, "web:1", image)

	b := loaded(t, dir, `images:
  - {name: layout, source: "oci-layout:layout"}
  - {name: archive, source: "oci-archive:archive.tar"}
  - {name: saved, source: "oci-archive:saved.tar"}
  - {name: pulled, source: "docker://`+r.Address()+`/web@`+digest.String()+`"}
`)
	files, info := contents(t, b)
	names := []string{"layout", "archive", "saved", "pulled"}
	for i, name := range names {
		if got := files[v1alpha1.BakedImagesPath+"/"+name+"/rootfs/program"]; got != "program one" {
			t.Errorf("%s: the program is %q", name, got)
		}
		if !strings.Contains(files[v1alpha1.BakedImagesPath+"/"+name+"/config.json"], `"/program"`) {
			t.Errorf("%s: no configuration", name)
		}
		// What "docker save" writes has no manifest; one is made of it.
		if name != "saved" && info.BakedImages[i] != (v1alpha1.BakedImage{Name: name, Digest: digest.String()}) {
			t.Errorf("%s: %+v", name, info.BakedImages[i])
		}
	}
	if len(b.baked) != len(names) || b.baked[0].SizeBytes == 0 {
		t.Errorf("the manifest is told %+v", b.baked)
	}

	asked := len(r.Requests())
	again := loaded(t, dir, "images:\n  - {name: pulled, source: \"docker://"+r.Address()+"/web@"+digest.String()+"\"}\n")
	if files, _ := contents(t, again); files[v1alpha1.BakedImagesPath+"/pulled/rootfs/program"] != "program one" {
		t.Error("the image is not in the store")
	}
	if more := r.Requests()[asked:]; len(more) != 0 {
		t.Errorf("the registry was asked again: %q", more)
	}
}

// TestKeyFollowsImage: an image that changes behind the same path changes the key, so that the build is not "unchanged".
func TestKeyFollowsImage(t *testing.T) {
	dir := t.TempDir()
	const text = "images:\n  - {name: web, source: \"oci-layout:layout\"}\n"
	key := func(content string) string {
		if err := os.RemoveAll(filepath.Join(dir, "layout")); err != nil {
			t.Fatal(err)
		}
		if err := oci.WriteLayout(filepath.Join(dir, "layout"), program(t, content)); err != nil {
			t.Fatal(err)
		}
		b := loaded(t, dir, text)
		if err := b.bakeImages(t.Context()); err != nil {
			t.Fatal(err)
		}
		return b.images[0].key
	}
	if one, same, two := key("one"), key("one"), key("two"); one != same || one == two {
		t.Errorf("keys %s, %s, %s", one, same, two)
	}
}

// TestImageSourceErrors: what is missing or other than pinned stops the build before anything is written.
func TestImageSourceErrors(t *testing.T) {
	r := registry.Start(t)
	r.Push(t, "web:1", program(t, "one"))
	for _, c := range []struct{ name, source, want string }{
		{"no layout", "oci-layout:none", `cannot open image "oci-layout:`},
		{"no archive", "oci-archive:none.tar", `cannot open image "oci-archive:`},
		{"not in the registry", "docker://" + r.Address() + "/web@sha256:" + strings.Repeat("0", 64), `cannot open image "docker://`},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := loaded(t, t.TempDir(), "images:\n  - {name: web, source: \""+c.source+"\"}\n")
			if err := b.bakeImages(t.Context()); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// TestFilesAndDocument puts the definition's files and its document on the root.
func TestFilesAndDocument(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "motd"), "copied")
	write(t, filepath.Join(dir, "machine.yaml"), "kind: Machine\n")
	b := loaded(t, dir, `document: machine.yaml
files:
  - {path: /etc/web/motd, source: motd}
  - {path: /etc/web/inline, content: "inline", mode: "0400"}
`)
	if err := b.bakeImages(t.Context()); err != nil {
		t.Fatal(err)
	}
	root, _, err := b.rootTree(t.Context(), v1alpha1.ImageInfo{Name: "web", Version: "1.2.3"}, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	for _, e := range root.Entries() {
		if strings.HasPrefix(e.Path, "/etc/web/") || e.Path == v1alpha1.ImageDocumentPath {
			got.WriteString(e.Mode.String() + " " + e.Path + " " + strings.TrimSpace(read(t, e)) + "\n")
		}
	}
	want := "-r-------- /etc/web/inline inline\n-r--r--r-- /etc/web/motd copied\n-r--r--r-- " + v1alpha1.ImageDocumentPath + " kind: Machine\n"
	if got.String() != want {
		t.Errorf("got\n%swant\n%s", got.String(), want)
	}
}
