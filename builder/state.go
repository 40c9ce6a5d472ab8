package builder

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/stele-os/stele/builder/output"
	"github.com/stele-os/stele/builder/store"
	"github.com/stele-os/stele/internal/atomicfile"
)

// state tells a later build what lies in an output directory. It stands beside the manifest and not in it: the manifest
// depends on the inputs alone.
type state struct {
	// Key is the hash of everything that went into the image, this program included.
	Key string `json:"key"`
	// Files as they were when the build ended: whoever touched one gets it written again.
	Files map[string]fileState `json:"files"`
}

type fileState struct {
	SizeBytes    int64 `json:"size"`
	ModifiedNano int64 `json:"modified"`
}

func statePath(dir string) string { return filepath.Join(dir, ".build.json") }

// imageKey is a hash of everything that decides about the outputs' bytes.
func (b *build) imageKey() (string, error) {
	program, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("cannot find this program: %w", err)
	}
	self, err := store.DigestFile(program)
	if err != nil {
		return "", fmt.Errorf("cannot read this program: %w", err)
	}
	wanted := *b.definition
	wanted.File, wanted.Base = "", "" // where it stands does not matter
	text, err := json.Marshal(wanted)
	if err != nil {
		return "", fmt.Errorf("cannot encode definition: %w", err)
	}
	key := store.NewKey("output").Add("program", self.SHA256).Add("definition", string(text)).
		Add("architecture", string(b.options.Arch)).Add("lock", b.lockDigest.SHA256).Add("document", string(b.document)).Add("update root", string(b.updateRoot.text)).
		Add("secure boot", b.secureBoot.key())
	for _, p := range b.parts {
		key.Add(p.name, p.Key)
	}
	for _, image := range b.images {
		key.Add("image "+image.name, image.key)
	}
	for _, f := range b.definition.Files {
		if f.Source == "" {
			continue
		}
		digest, err := store.DigestFile(f.Source)
		if err != nil {
			return "", fmt.Errorf("cannot read file for %q: %w", f.Path, err)
		}
		key.Add("file "+f.Path, digest.SHA256)
	}
	return key.Sum(), nil
}

// unchanged says whether the directory holds the outputs of this key, untouched.
func unchanged(dir, key string) bool {
	text, err := os.ReadFile(statePath(dir))
	if err != nil {
		return false
	}
	var was state
	if json.Unmarshal(text, &was) != nil || was.Key != key || len(was.Files) == 0 {
		return false
	}
	for name, want := range was.Files {
		if got, err := stateOf(filepath.Join(dir, name)); err != nil || got != want {
			return false
		}
	}
	return true
}

func writeState(dir, key string, outputs []string) error {
	now := state{Key: key, Files: map[string]fileState{}}
	for _, name := range append([]string{output.ManifestFile}, outputs...) {
		s, err := stateOf(filepath.Join(dir, name))
		if err != nil {
			return fmt.Errorf("cannot look at output: %w", err)
		}
		now.Files[name] = s
	}
	text, err := json.MarshalIndent(now, "", "  ")
	if err != nil {
		return fmt.Errorf("cannot encode build state: %w", err)
	}
	return atomicfile.Write(statePath(dir), int64(len(text)), func(f *os.File) error {
		_, err := f.Write(append(text, '\n'))
		return err
	})
}

func stateOf(path string) (fileState, error) {
	info, err := os.Stat(path)
	if err != nil {
		return fileState{}, err
	}
	return fileState{SizeBytes: info.Size(), ModifiedNano: info.ModTime().UnixNano()}, nil
}
