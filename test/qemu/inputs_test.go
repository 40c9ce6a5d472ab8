//go:build qemu

package qemu

import (
	"archive/tar"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/stele-os/stele/agent/config"
	"github.com/stele-os/stele/agent/plan"
	"github.com/stele-os/stele/api/v1alpha1"
	"github.com/stele-os/stele/builder"
	"github.com/stele-os/stele/builder/definition"
	"github.com/stele-os/stele/builder/oci"
	"github.com/stele-os/stele/builder/store"
	"github.com/stele-os/stele/test/qemu/machine"
)

// A machine without metadata runs what its image says, from an image that came as an OCI layout: files of lower layers are gone where an
// upper one says so, links lead where they should, and the setuid bit raises whom the document lets rise. The same from both root formats.
func TestRunsItsOwnDocumentAndImage(t *testing.T) {
	t.Parallel()
	for _, format := range []string{definition.RootEROFS, definition.RootEROFSLZ4HC} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			own := buildImage(t, format)
			intruder := containers(demo("intruder", 8082))
			g := bootImage(t, own, machine.Options{Direct: true, Document: intruder, Forwards: ports(machine.DemoPort, 8081)})
			g.serving()
			g.expect(`^stele: .*container risen: running ready`)
			if r := g.report(); !strings.HasPrefix(r.Platform, "none") {
				t.Errorf("the platform is %q", r.Platform)
			}
			g.never("intruder")

			for path, want := range map[string]int{"/etc/kept": 200, "/etc/gone": 404, "/opt/below": 404, "/opt/above": 200, "/etc/link": 200} {
				if status, body := g.ask(machine.DemoPort, "/read", "path", path); status != want {
					t.Errorf("%s answers %d, want %d: %s", path, status, want, body)
				}
			}
			const status = "/proc/self/status"
			if text := g.get(machine.DemoPort, "/read", "path", status); !strings.Contains(text, "\nUid:\t1000\t1000\t1000\t1000\n") {
				t.Errorf("a setuid program rose without leave: %s", text)
			}
			if text := g.get(8081, "/read", "path", status); !strings.Contains(text, "\nUid:\t1000\t0\t0\t0\n") {
				t.Errorf("a setuid program did not rise: %s", text)
			}
		})
	}
}

const ownDocument = `apiVersion: stele/v1alpha1
kind: Machine
spec:
  containers:
    - name: plain
      image: own
      ports: [{containerPort: 8080}]
      readinessProbe: {httpGet: {path: /healthz, port: 8080}, periodSeconds: 1}
    - name: risen
      image: own
      env: [{name: PORT, value: "8081"}]
      ports: [{containerPort: 8081}]
      securityContext: {allowPrivilegeEscalation: true}
      readinessProbe: {httpGet: {path: /healthz, port: 8081}, periodSeconds: 1}
`

// buildImage builds an image with the kernel of the one under test.
func buildImage(t *testing.T, format string) machine.Image {
	t.Helper()
	repository, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(repository, "build"), 0o755); err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp(filepath.Join(repository, "build"), "definition-") // the sources of agent and runc are looked for above it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	text := "apiVersion: stele/v1alpha1\nkind: Image\nbase: " + filepath.Join(repository, "images", "base.yaml") +
		"\nname: own\nkernel: {image: " + image.File("vmlinuz") + "}\nrootFormat: " + format +
		"\ndocument: machine.yaml\nimages: [{name: own, source: \"oci-layout:layout\"}]\nmetadata: {platform: none}\n"
	for name, content := range map[string]string{"own.yaml": text, "machine.yaml": ownDocument} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := oci.WriteLayout(filepath.Join(dir, "layout"), layered(t)); err != nil {
		t.Fatal(err)
	}
	cache, err := store.DefaultDir(os.Getenv)
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	_, err = builder.Build(t.Context(), builder.Options{
		Definition: filepath.Join(dir, "own.yaml"), Lock: filepath.Join(repository, "images", "lock.yaml"), Arch: image.Arch(),
		Output: filepath.Join(dir, "out"), StoreDir: cache, Mirror: os.Getenv("DEBIAN_MIRROR"), Progress: &log,
		CheckDocument: func(file string, text []byte, info v1alpha1.ImageInfo) error {
			_, problems := config.Evaluate(config.Input{User: text, UserSource: file}, plan.Facts{Image: info})
			return config.Report(&log, file, problems)
		},
	})
	if err != nil {
		t.Fatalf("%v\n%s", err, &log)
	}
	built, err := machine.Open(filepath.Join(dir, "out"))
	if err != nil {
		t.Fatal(err)
	}
	return built
}

// layered is an image of two layers: a setuid program and files, then whiteouts of both sorts and links (image-spec v1.1, layer.md).
func layered(t *testing.T) v1.Image {
	t.Helper()
	lower := layer(t,
		entry{tar.Header{Name: "usr/bin/demo", Mode: 0o4755}, string(demoProgram(t))},
		entry{tar.Header{Name: "etc/gone", Mode: 0o644}, "gone"},
		entry{tar.Header{Name: "etc/kept", Mode: 0o644}, "kept"},
		entry{tar.Header{Name: "opt/below", Mode: 0o644}, "below"})
	upper := layer(t,
		entry{Header: tar.Header{Name: "etc/.wh.gone", Mode: 0o644}},
		entry{Header: tar.Header{Name: "opt/.wh..wh..opq", Mode: 0o644}},
		entry{tar.Header{Name: "opt/above", Mode: 0o644}, "above"},
		entry{Header: tar.Header{Name: "etc/link", Linkname: "../opt/above", Typeflag: tar.TypeSymlink}},
		entry{Header: tar.Header{Name: "app", Linkname: "usr/bin/demo", Typeflag: tar.TypeSymlink}})
	made, err := mutate.AppendLayers(empty.Image, lower, upper)
	if err != nil {
		t.Fatal(err)
	}
	file, err := made.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	file = file.DeepCopy()
	file.Architecture, file.OS = image.Arch().Go(), "linux"
	file.Config = v1.Config{Entrypoint: []string{"/app"}, User: "1000:1000"}
	if made, err = mutate.ConfigFile(made, file); err != nil {
		t.Fatal(err)
	}
	return made
}

type entry struct {
	tar.Header
	content string
}

func layer(t *testing.T, entries ...entry) v1.Layer {
	t.Helper()
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	for _, e := range entries {
		e.Size = int64(len(e.content))
		if err := w.WriteHeader(&e.Header); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, e.content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	made, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(archive.Bytes())), nil })
	if err != nil {
		t.Fatal(err)
	}
	return made
}
