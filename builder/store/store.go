// Package store keeps what a build fetched and made, outside the checkout, so that a second clone builds nothing twice.
//
//	DIR/blobs/sha256/<digest>      fetched files, by content
//	DIR/artifacts/<name>-<key>/    made files, by a hash of everything that went into them; listed in .stele-artifact.json
//	DIR/locks, DIR/tmp             one lock a name; work in progress
//
// Invariants: a name exists only when its content is complete (work happens in tmp and is renamed); what is handed out was
// verified against its digests in this process, damaged content is thrown away and made again (TestBlob, TestArtifact); any
// number of processes may share a store (flock(2), TestConcurrent).
//
// Go's own build cache was no model for artifacts: its entries cannot be named, and a kernel is not a Go package.
package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/stele-os/stele/internal/hint"
)

// Store is a directory of blobs and artifacts.
type Store struct {
	dir string
}

// DefaultDir is $STELE_CACHE, else stele below $XDG_CACHE_HOME, else below ~/.cache.
func DefaultDir(env func(string) string) (string, error) {
	if dir := env("STELE_CACHE"); dir != "" {
		return filepath.Abs(dir)
	}
	if dir := env("XDG_CACHE_HOME"); filepath.IsAbs(dir) { // the XDG specification ignores relative ones
		return filepath.Join(dir, "stele"), nil
	}
	if home := env("HOME"); home != "" {
		return filepath.Join(home, ".cache", "stele"), nil
	}
	return "", hint.New(errors.New("cannot find a place for the build cache: HOME is not set"), "set STELE_CACHE to a directory")
}

// Open prepares the store in dir.
func Open(dir string) (*Store, error) {
	for _, sub := range []string{"blobs/sha256", "artifacts", "locks", "tmp"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			return nil, fmt.Errorf("cannot open build cache %q: %w", dir, err)
		}
	}
	return &Store{dir: dir}, nil
}

// Dir returns the store's directory.
func (s *Store) Dir() string { return s.dir }

func (s *Store) path(parts ...string) string {
	return filepath.Join(append([]string{s.dir}, parts...)...)
}

// lock takes the exclusive lock of one name until unlock is called or the process ends.
func (s *Store) lock(ctx context.Context, name string) (unlock func(), err error) {
	file, err := os.OpenFile(s.path("locks", name), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("cannot lock %q: %w", name, err)
	}
	retry := time.NewTicker(50 * time.Millisecond)
	defer retry.Stop()
	for {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { file.Close() }, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			file.Close()
			return nil, fmt.Errorf("cannot lock %q: %w", name, err)
		}
		select {
		case <-ctx.Done():
			file.Close()
			return nil, fmt.Errorf("cannot lock %q: %w", name, ctx.Err())
		case <-retry.C:
		}
	}
}

// Lock keeps other processes from working on a name, such as an output directory, until unlock is called.
func (s *Store) Lock(ctx context.Context, name string) (unlock func(), err error) {
	return s.lock(ctx, NewKey("lock").Add("name", name).id())
}

// explain adds the next step where the disk is full. Compilers say so in their output alone.
func (s *Store) explain(err error) error {
	if errors.Is(err, syscall.ENOSPC) || strings.Contains(strings.ToLower(err.Error()), syscall.ENOSPC.Error()) {
		return hint.New(err, fmt.Sprintf("free space on the disks of %s and %s, or set STELE_CACHE to a directory on a larger one", s.dir, os.TempDir()))
	}
	return err
}
