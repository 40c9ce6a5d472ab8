package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

const listName = ".stele-artifact.json"

// Artifact is a directory of made files.
type Artifact struct {
	Dir string
	// Key is the hash of the inputs.
	Key string
	// Cached tells that the store held it.
	Cached bool
	// Files by path relative to Dir.
	Files map[string]Digest
}

// Path returns the absolute path of one of the artifact's files.
func (a *Artifact) Path(name string) string { return filepath.Join(a.Dir, name) }

// Artifact returns the files made from the key's inputs, calling build to make them in dir if the store does not hold them
// intact. Whatever build leaves behind on failure is removed.
func (s *Store) Artifact(ctx context.Context, key *Key, build func(ctx context.Context, dir string) error) (*Artifact, error) {
	dir := s.path("artifacts", key.id())
	if a := openArtifact(dir, key); a != nil {
		return a, nil
	}
	unlock, err := s.lock(ctx, key.id())
	if err != nil {
		return nil, err
	}
	defer unlock()
	if a := openArtifact(dir, key); a != nil { // another process made it meanwhile
		return a, nil
	}
	a, err := s.make(ctx, key, dir, build)
	if err != nil {
		return nil, s.explain(fmt.Errorf("cannot make %q: %w", key.Name(), err))
	}
	s.prune(key.Name(), dir)
	return a, nil
}

// openArtifact returns the artifact in dir if every file is as it was made, else nil.
func openArtifact(dir string, key *Key) *Artifact {
	text, err := os.ReadFile(filepath.Join(dir, listName))
	if err != nil {
		return nil
	}
	files := map[string]Digest{}
	if err := json.Unmarshal(text, &files); err != nil {
		return nil
	}
	for name, want := range files {
		if !intact(filepath.Join(dir, name), want) {
			return nil
		}
	}
	used := time.Now()
	_ = os.Chtimes(dir, used, used) // only prune reads it
	return &Artifact{Dir: dir, Key: key.Sum(), Cached: true, Files: files}
}

func (s *Store) make(ctx context.Context, key *Key, dir string, build func(context.Context, string) error) (*Artifact, error) {
	work := s.path("tmp", key.id()) // ours alone: the lock is held
	defer os.RemoveAll(work)
	if err := errors.Join(os.RemoveAll(work), os.Mkdir(work, 0o755)); err != nil {
		return nil, err
	}
	if err := build(ctx, work); err != nil {
		return nil, err
	}
	files, err := list(work)
	if err != nil {
		return nil, err
	}
	text, err := json.MarshalIndent(files, "", "  ")
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(work, listName), append(text, '\n'), 0o644); err != nil {
		return nil, err
	}
	if err := os.RemoveAll(dir); err != nil { // a damaged one
		return nil, err
	}
	if err := os.Rename(work, dir); err != nil {
		return nil, err
	}
	return &Artifact{Dir: dir, Key: key.Sum(), Files: files}, nil
}

func list(dir string) (map[string]Digest, error) {
	files := map[string]Digest{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		files[name], err = DigestFile(path)
		return err
	})
	return files, err
}
