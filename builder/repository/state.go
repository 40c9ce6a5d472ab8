package repository

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"github.com/stele-os/stele/internal/hint"
)

// state is what a repository says, verified. What a client would not accept is an error here, with one exception: a rotation that was
// interrupted leaves roles signed by the keys of the root before.
type state struct {
	root *metadata.Metadata[metadata.RootType]
	// before is the root one version earlier, nil for the first.
	before    *metadata.Metadata[metadata.RootType]
	targets   *metadata.Metadata[metadata.TargetsType]
	snapshot  *metadata.Metadata[metadata.SnapshotType]
	timestamp *metadata.Metadata[metadata.TimestampType]
	// targetsText is the file of targets.
	targetsText []byte
	// visible are the targets that the snapshot names.
	visible map[string]*metadata.TargetFiles
	// pending: no snapshot names the newest targets yet. stale: something is signed by the keys of the root before.
	pending, stale bool
}

// maxMetadataBytes of one file; far more than a client would read.
const maxMetadataBytes = 16 << 20

func rootName(version int64) string     { return fmt.Sprintf("%d.root.json", version) }
func targetsName(version int64) string  { return fmt.Sprintf("%d.targets.json", version) }
func snapshotName(version int64) string { return fmt.Sprintf("%d.snapshot.json", version) }

// load reads a repository in the order of a client (TUF specification 1.0.33, 5.3 to 5.6).
func load(dir string) (*state, error) {
	s := &state{}
	if err := s.loadRoots(dir); err != nil {
		return nil, err
	}
	var err error
	if s.timestamp, _, err = read1[metadata.TimestampType](dir, timestampFile); err != nil {
		return nil, err
	}
	if err := check(s, metadata.TIMESTAMP, timestampFile, s.timestamp); err != nil {
		return nil, err
	}
	if err := s.loadSnapshot(dir); err != nil {
		return nil, err
	}
	if err := s.loadTargets(dir); err != nil {
		return nil, err
	}
	return s, s.loadPending(dir)
}

// loadRoots follows the chain: each root is signed by the one before it and by itself.
func (s *state) loadRoots(dir string) error {
	for version := int64(1); ; version++ {
		name := rootName(version)
		next, _, err := read1[metadata.RootType](dir, name)
		if errors.Is(err, fs.ErrNotExist) && version > 1 {
			return nil
		}
		if err != nil {
			return err
		}
		if next.Signed.Version != version {
			return fmt.Errorf("%s has version %d", name, next.Signed.Version)
		}
		if err := sound(next); err != nil {
			return fmt.Errorf("%s is not valid: %w", name, err)
		}
		for _, root := range []*metadata.Metadata[metadata.RootType]{s.root, next} {
			if root == nil {
				continue
			}
			if err := root.VerifyDelegate(metadata.ROOT, next); err != nil {
				return fmt.Errorf("%s is not valid: %w", name, err)
			}
		}
		s.before, s.root = s.root, next
	}
}

func (s *state) loadSnapshot(dir string) error {
	meta := s.timestamp.Signed.Meta["snapshot.json"]
	if meta == nil {
		return fmt.Errorf("%s names no snapshot", timestampFile)
	}
	name := snapshotName(meta.Version)
	var text []byte
	var err error
	if s.snapshot, text, err = read1[metadata.SnapshotType](dir, name); err != nil {
		return err
	}
	if err := meta.VerifyLengthHashes(text); err != nil {
		return fmt.Errorf("%s is not what %s says: %w", name, timestampFile, err)
	}
	return check(s, metadata.SNAPSHOT, name, s.snapshot)
}

func (s *state) loadTargets(dir string) error {
	meta := s.snapshot.Signed.Meta["targets.json"]
	if meta == nil {
		return fmt.Errorf("snapshot %d names no targets", s.snapshot.Signed.Version)
	}
	name := targetsName(meta.Version)
	var err error
	if s.targets, s.targetsText, err = read1[metadata.TargetsType](dir, name); err != nil {
		return err
	}
	if err := meta.VerifyLengthHashes(s.targetsText); err != nil {
		return fmt.Errorf("%s is not what snapshot %d says: %w", name, s.snapshot.Signed.Version, err)
	}
	s.visible = s.targets.Signed.Targets
	return check(s, metadata.TARGETS, name, s.targets)
}

// loadPending takes newer targets that are signed but not named by a snapshot: a publishing that was interrupted, or made without the
// online keys. What is not signed by the present keys will be overwritten.
func (s *state) loadPending(dir string) error {
	for {
		version := s.targets.Signed.Version + 1
		next, text, err := read1[metadata.TargetsType](dir, targetsName(version))
		if err != nil || next.Signed.Version != version || s.root.VerifyDelegate(metadata.TARGETS, next) != nil {
			return nil
		}
		s.targets, s.targetsText, s.pending = next, text, true
	}
}

// announced says which targets machines can see.
func (s *state) announced() map[string]bool {
	names := map[string]bool{}
	for name := range s.visible {
		names[name] = true
	}
	return names
}

// check verifies a role's metadata by the newest root, or by the one before.
func check[T metadata.Roles](s *state, role, name string, m *metadata.Metadata[T]) error {
	err := s.root.VerifyDelegate(role, m)
	if err != nil && s.before != nil && s.before.VerifyDelegate(role, m) == nil {
		s.stale = true
		return nil
	}
	if err != nil {
		return fmt.Errorf("%s is not valid: %w", name, err)
	}
	return nil
}

func read1[T metadata.Roles](dir, name string) (*metadata.Metadata[T], []byte, error) {
	f, err := os.Open(filepath.Join(dir, metadataDir, name))
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			err = hint.New(err, "bring the directory back from the web server or a backup: every file of metadata/ is needed")
		}
		return nil, nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxMetadataBytes))
	if err != nil {
		return nil, nil, err
	}
	m, err := new(metadata.Metadata[T]).FromBytes(text)
	if err != nil {
		return nil, nil, fmt.Errorf("cannot decode %s: %w", name, err)
	}
	return m, text, nil
}
