// Package resolve pins the Debian packages a build takes files from, and fetches them by their pins.
//
// Resolving (`stele lock`) is the only moment that looks at what is new: it verifies the signed index of each suite and
// writes the lock file. Building reads the lock file and nothing else: same lock, same bytes. Go modules are pinned by
// go.mod and go.sum and do not appear here.
//
// Invariants: the lock file's bytes depend on the index alone (TestResolve); a pin that the mirror no longer has is one
// clear error with the next step (TestFetchGone).
package resolve

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/stele-os/stele/internal/hint"
	"github.com/stele-os/stele/internal/strictyaml"
)

// Lock is the content of images/lock.yaml.
type Lock struct {
	// Signed is when the archive signed the index, RFC 3339. It is the build time of every image made from this lock: the
	// clock of a machine is never before it, and it changes only when the inputs do.
	Signed   string    `yaml:"signed"`
	Date     time.Time `yaml:"-"`
	Packages []Pin     `yaml:"packages"`
}

// Pin is one Debian package down to its bytes.
type Pin struct {
	Name         string `yaml:"name"`
	Suite        string `yaml:"suite"`
	Architecture string `yaml:"architecture"`
	Version      string `yaml:"version"`
	Path         string `yaml:"path"`
	SizeBytes    int64  `yaml:"size"`
	SHA256       string `yaml:"sha256"`
}

const lockHeader = `# Written by "stele lock" from the Debian archive's signed index; do not edit.
# "stele lock" pins what the mirror has now; "git diff" then shows what an update changes.
`

// Decode reads a lock file strictly. path names it in errors.
func Decode(path string, text []byte) (*Lock, error) {
	lock := &Lock{}
	if _, problems := strictyaml.Decode(text, lock); len(problems) > 0 {
		err := fmt.Errorf("cannot read lock file %s:%w", path, problems[0])
		return nil, hint.New(err, `run "stele lock" to write it anew`)
	}
	var err error
	if lock.Date, err = time.Parse(time.RFC3339, lock.Signed); err != nil {
		return nil, hint.New(fmt.Errorf("cannot read lock file %q: signed is no date", path), `run "stele lock" to write it anew`)
	}
	for i, p := range lock.Packages {
		if p.Name == "" || p.Path == "" || p.SizeBytes <= 0 || len(p.SHA256) != 64 || strings.Trim(p.SHA256, "0123456789abcdef") != "" {
			err := fmt.Errorf("cannot read lock file %q: packages[%d] has no name, path, size or SHA-256", path, i)
			return nil, hint.New(err, `run "stele lock" to write it anew`)
		}
	}
	return lock, nil
}

// Load reads the lock file at path.
func Load(path string) (*Lock, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, hint.New(fmt.Errorf("cannot read lock file: %w", err), `run "stele lock" to write it`)
	}
	return Decode(path, text)
}

// Encode returns the lock file's text.
func (l *Lock) Encode() ([]byte, error) {
	l.Signed = l.Date.UTC().Format(time.RFC3339)
	body, err := yaml.MarshalWithOptions(l, yaml.IndentSequence(true))
	if err != nil {
		return nil, fmt.Errorf("cannot encode lock file: %w", err)
	}
	return append([]byte(lockHeader), body...), nil
}

// Pin returns the package pinned for a Debian architecture; packages of architecture "all" serve every one.
func (l *Lock) Pin(name, architecture string) (Pin, error) {
	i := slices.IndexFunc(l.Packages, func(p Pin) bool {
		return p.Name == name && (p.Architecture == architecture || p.Architecture == "all")
	})
	if i < 0 {
		err := fmt.Errorf("cannot find package %q for %s in the lock file", name, architecture)
		return Pin{}, hint.New(err, `run "stele lock" to pin it`)
	}
	return l.Packages[i], nil
}
