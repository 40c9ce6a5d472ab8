// Package repository makes update repositories: it publishes what the builder wrote in a directory that any static web server can serve.
// It follows The Update Framework, specification 1.0.33; machines read it with agent/update/repository.
//
//	DIR/metadata/N.root.json       which keys count for which role, and how many of them (offline keys)
//	DIR/metadata/N.targets.json    the bundles, with everything a machine must know about one (offline keys)
//	DIR/metadata/N.snapshot.json   which targets metadata is the present one (online key)
//	DIR/metadata/timestamp.json    which snapshot is the present one; expires soon (online key)
//	DIR/targets/<sha256>.<name>_<version>_<architecture>.bundle
//
// It is no server, and it keeps no state beside these files: what they say is verified each time they are read. A private key never
// lies below DIR.
//
// Invariants:
//   - A file appears whole or not at all, and every file that another one names is there before it: timestamp.json, the only file
//     that ever changes, is replaced last. So a client sees a consistent repository at any moment (TestEveryWriteLeavesAConsistentRepository).
//   - Whoever has the online keys can withhold new versions, but cannot publish, change or remove one (docs/update-repository.md).
//   - Targets metadata counts once it is signed: a publishing that was interrupted after that is finished by the next command
//     that signs a snapshot. Before that, nothing has happened.
//   - The same image, keys, time and state give the same bytes.
//
// Rejected: metadata in a database with the files as its export (two truths), and keys beside the metadata, as older tools do.
package repository

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stele-os/stele/internal/hint"
)

// Directories and files of a repository (TUF specification, 3.1 and 5).
const (
	metadataDir   = "metadata"
	targetsDir    = "targets"
	timestampFile = "timestamp.json"
	lockFile      = ".lock"
)

// Options are what every command needs.
type Options struct {
	// Dir is the repository.
	Dir string
	// Keys sign. A command that signs nothing needs none.
	Keys *Keyring
	// Now is the time that expiry counts from.
	Now func() time.Time
	// Expires says how long new signatures are valid.
	Expires Expires
	// Report receives what happened, and warnings, a line each.
	Report func(line string)

	// beforeWrite lets a test look at the repository, or stop the command, before each write.
	beforeWrite func(path string) error
}

// Repository is an open repository.
type Repository struct {
	Options
	state  *state
	unlock func()
	// notes are reported when what they tell of is written.
	notes []string
}

// Open reads and verifies a repository in order to change it. Only one process at a time may do that.
func Open(o Options) (*Repository, error) {
	if err := exists(o.Dir); err != nil {
		return nil, err
	}
	unlock, err := lock(o.Dir)
	if err != nil {
		return nil, err
	}
	r, err := read(o)
	if err != nil {
		unlock()
		return nil, err
	}
	r.unlock = unlock
	return r, r.sweep()
}

// Read reads and verifies a repository without changing it. It needs no lock: files are only added, and the last one to change is the
// first one that a reader looks at.
func Read(o Options) (*Repository, error) {
	r, err := read(o)
	if err != nil {
		return nil, err
	}
	r.unlock = func() {}
	return r, nil
}

// exists refuses a directory that is no repository.
func exists(dir string) error {
	if _, err := os.Stat(filepath.Join(dir, metadataDir, rootName(1))); errors.Is(err, fs.ErrNotExist) {
		err := fmt.Errorf("cannot open repository %q: it has no %s/%s", dir, metadataDir, rootName(1))
		return hint.New(err, "make one with: stele repo init "+dir+" --keys KEYDIR")
	}
	return nil
}

func read(o Options) (*Repository, error) {
	if err := exists(o.Dir); err != nil {
		return nil, err
	}
	s, err := load(o.Dir)
	if err != nil {
		return nil, fmt.Errorf("cannot open repository %q: %w", o.Dir, err)
	}
	if o.Report == nil {
		o.Report = func(string) {}
	}
	return &Repository{Options: o, state: s}, nil
}

// Close ends the exclusive use.
func (r *Repository) Close() { r.unlock() }

// note is a report of what commit is going to write.
func (r *Repository) note(format string, args ...any) {
	r.notes = append(r.notes, fmt.Sprintf(format, args...))
}

// commit writes files and reports what was noted.
func (r *Repository) commit(files []file) error {
	if err := r.writeAll(files); err != nil {
		return err
	}
	for _, line := range r.notes {
		r.Report(line)
	}
	r.notes = nil
	return nil
}

func (r *Repository) report(format string, args ...any) { r.Report(fmt.Sprintf(format, args...)) }

// lock excludes other publishers. The kernel drops it with the process.
func lock(dir string) (func(), error) {
	f, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_CREATE|os.O_RDWR|unix.O_CLOEXEC, 0o644)
	if err != nil {
		return nil, fmt.Errorf("cannot lock repository %q: %w", dir, err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, hint.New(fmt.Errorf("cannot lock repository %q: another command is changing it", dir), "wait until it has ended")
		}
		return nil, fmt.Errorf("cannot lock repository %q: %w", dir, err)
	}
	return func() { f.Close() }, nil
}

// sweep removes what killed commands have left.
func (r *Repository) sweep() error {
	for _, dir := range []string{metadataDir, targetsDir} {
		entries, err := os.ReadDir(filepath.Join(r.Dir, dir))
		if err != nil {
			return fmt.Errorf("cannot read repository: %w", err)
		}
		for _, e := range entries {
			if strings.HasPrefix(e.Name(), ".") {
				if err := os.Remove(filepath.Join(r.Dir, dir, e.Name())); err != nil {
					return fmt.Errorf("cannot remove unfinished file: %w", err)
				}
			}
		}
	}
	return nil
}
