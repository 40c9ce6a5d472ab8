// Package versions builds several versions of the demo image, good and bad ones, for tests and benchmarks of updates: the same kernel, agent and
// containers, each version with its own number in the root and with what makes it bad in its definition.
//
// It is the builder's own code with definitions made on the fly; what is in the build cache is not built again, so that a version takes a second.
package versions

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/stele-os/stele/agent/config"
	"github.com/stele-os/stele/agent/plan"
	"github.com/stele-os/stele/api/v1alpha1"
	"github.com/stele-os/stele/builder"
	"github.com/stele-os/stele/builder/store"
	"github.com/stele-os/stele/test/qemu/machine"
)

// Version is one version to build.
type Version struct {
	// Number, such as "1.1.0".
	Number string
	// Name of the image; empty: "demo".
	Name string
	// Words are added to the kernel command line.
	Words []string
	// Document of the image, the spec's lines without indentation; the user's is merged over it.
	Document string
	// Root is the size of each slot as a quantity; empty: the definition's.
	Root string
	// Security is the security version.
	Security int64
	// SecureBoot is the directory of keys that sign it; empty: it is not signed.
	SecureBoot string
	// Ballast adds a file of so many bytes to the root.
	Ballast int64
}

// Builder says where versions are built.
type Builder struct {
	// Repository is the root of this source tree; Dir, below it, takes a directory a version.
	Repository, Dir string
	// Like is an image that is there already: its versions have its kernel and its architecture.
	Like machine.Image
	// UpdateRoot is the root metadata that goes into the images; empty: none.
	UpdateRoot string
}

// Build builds one version, or finds it built already.
func (b Builder) Build(ctx context.Context, v Version) (machine.Image, error) {
	dir := filepath.Join(b.Dir, v.Number)
	if err := b.define(dir, v); err != nil {
		return machine.Image{}, fmt.Errorf("cannot define version %s: %w", v.Number, err)
	}
	cache, err := store.DefaultDir(os.Getenv)
	if err != nil {
		return machine.Image{}, err
	}
	var log bytes.Buffer
	_, err = builder.Build(ctx, builder.Options{
		Definition: filepath.Join(dir, "image.yaml"), Lock: filepath.Join(b.Repository, "images", "lock.yaml"), Arch: b.Like.Arch(),
		Output: filepath.Join(dir, "out"), StoreDir: cache, Mirror: os.Getenv("DEBIAN_MIRROR"), Progress: &log,
		SecureBoot: builder.SecureBoot{Dir: v.SecureBoot, Now: time.Now()},
		CheckDocument: func(file string, text []byte, info v1alpha1.ImageInfo) error {
			_, problems := config.Evaluate(config.Input{User: text, UserSource: file}, plan.Facts{Image: info})
			return config.Report(&log, file, problems)
		},
	})
	if err != nil {
		return machine.Image{}, fmt.Errorf("cannot build version %s: %w\n%s", v.Number, err, &log)
	}
	return machine.Open(filepath.Join(dir, "out"))
}

func (b Builder) define(dir string, v Version) error {
	kernel, err := filepath.Abs(b.Like.File("vmlinuz"))
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	var text strings.Builder
	fmt.Fprintf(&text, "apiVersion: stele/v1alpha1\nkind: Image\nbase: %s\nversion: %q\nkernel: {image: %s}\n",
		filepath.Join(b.Repository, "images", "demo.yaml"), v.Number, kernel)
	if v.Security != 0 {
		fmt.Fprintf(&text, "securityVersion: %d\n", v.Security)
	}
	if v.Name != "" {
		fmt.Fprintf(&text, "name: %s\n", v.Name)
	}
	if len(v.Words) > 0 {
		fmt.Fprintf(&text, "commandLine: [%s]\n", strings.Join(v.Words, ", "))
	}
	if v.Root != "" {
		fmt.Fprintf(&text, "partitions: {root: %s}\n", v.Root)
	}
	if b.UpdateRoot != "" {
		fmt.Fprintf(&text, "update: {root: %s}\n", b.UpdateRoot)
	}
	files := map[string][]byte{}
	if v.Document != "" {
		text.WriteString("document: machine.yaml\n")
		lines := strings.Split(strings.Trim(v.Document, "\n"), "\n")
		files["machine.yaml"] = []byte("apiVersion: stele/v1alpha1\nkind: Machine\nspec:\n  " + strings.Join(lines, "\n  ") + "\n")
	}
	if v.Ballast > 0 {
		text.WriteString("files: [{path: /usr/share/ballast, source: ballast}]\n")
		files["ballast"] = ballast(v)
	}
	files["image.yaml"] = []byte(text.String())
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// ballast is incompressible and differs from version to version.
func ballast(v Version) []byte {
	content := make([]byte, v.Ballast)
	state := uint64(len(v.Number)) + 0x9e3779b97f4a7c15
	for _, r := range v.Number {
		state = state*31 + uint64(r)
	}
	for i := range content {
		state ^= state << 13 // xorshift64 (Marsaglia, 2003)
		state ^= state >> 7
		state ^= state << 17
		content[i] = byte(state)
	}
	return content
}
