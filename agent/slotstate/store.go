package slotstate

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Root is the directory of all slots' state.
const Root = "/var/lib/stele/slots"

// Store is the state of all slots below one directory. The zero Store is the machine's own.
type Store struct {
	// Root directory. Empty: Root.
	Root string

	effects    effects     // nil: the file system
	migrations []Migration // nil: this version's
}

// Dir is the directory of a slot's state; a machine that does not know its slot (started without boot loader) uses a's.
func Dir(slot string) string { return Store{}.Dir(slot) }

// Copy makes the state of slot to what from's is now, whole or not at all.
func Copy(from, to string) error { return Store{}.Copy(from, to) }

// Dir is the directory of a slot's state in this store.
func (s Store) Dir(slot string) string { return filepath.Join(s.root(), name(slot)) }

func (s Store) root() string {
	if s.Root == "" {
		return Root
	}
	return s.Root
}

func (s Store) do() effects {
	if s.effects == nil {
		return disk{}
	}
	return s.effects
}

// name of a slot's directory.
func name(slot string) string {
	if slot == "" {
		return "a"
	}
	return slot
}

// valid keeps a slot's name from leading out of the root.
func valid(slot string) error {
	if n := name(slot); n != "a" && n != "b" {
		return fmt.Errorf("cannot use the state of slot %q: the slots are a and b", slot)
	}
	return nil
}

// Copy makes the state of slot to what from's is now: after a power cut it is the one before or the copy, whole. A slot without state is
// copied as an empty one: nothing of an earlier version stays behind. Where both are alike nothing is written anew.
func (s Store) Copy(from, to string) error {
	if err := errors.Join(valid(from), valid(to)); err != nil {
		return err
	}
	if name(from) == name(to) {
		return fmt.Errorf("cannot copy the state of slot %q onto itself", from)
	}
	files, err := load(s.Dir(from))
	if err == nil {
		err = s.replace(name(to), files)
	}
	if err != nil {
		return fmt.Errorf("cannot copy the state of slot %q to slot %q: %w", name(from), name(to), err)
	}
	return nil
}

// Read returns one file of a slot, at most limit bytes; fs.ErrNotExist where there is none.
func (s Store) Read(slot, file string, limit int64) ([]byte, error) {
	path := filepath.Join(s.Dir(slot), file)
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > limit {
		return nil, fmt.Errorf("cannot read %q: it has %d bytes, the limit is %d", path, info.Size(), limit)
	}
	return os.ReadFile(path)
}

// Write stores one file of a slot: after a power cut the old or the new one is there, whole. One that is the same already is not written anew.
func (s Store) Write(slot, file string, data []byte) error {
	if err := valid(slot); err != nil {
		return err
	}
	path := filepath.Join(s.Dir(slot), file)
	if kept, err := os.ReadFile(path); err == nil && string(kept) == string(data) {
		return s.do().sync(filepath.Dir(path)) // its name may be new, and not durable yet
	}
	if err := s.write(path, data); err != nil {
		return fmt.Errorf("cannot write %q: %w", path, err)
	}
	return nil
}

func (s Store) write(path string, data []byte) error {
	if err := s.makeAll(filepath.Dir(path)); err != nil {
		return err
	}
	next := filepath.Join(filepath.Dir(path), temporary(filepath.Base(path)))
	return run(
		func() error { return s.do().create(next, data) },
		func() error { return s.do().sync(next) },
		func() error { return s.do().rename(next, path) },
		func() error { return s.do().sync(filepath.Dir(path)) },
	)
}

// Remove takes one file of a slot away, for good; nil where there is none.
func (s Store) Remove(slot, file string) error {
	path := filepath.Join(s.Dir(slot), file)
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	err := run(
		func() error { return s.do().removeAll(path) },
		func() error { return s.do().sync(filepath.Dir(path)) },
	)
	if err != nil {
		return fmt.Errorf("cannot remove %q: %w", path, err)
	}
	return nil
}

// temporary is the name of what becomes name when it is whole. Readers and Copy pass over it.
func temporary(name string) string { return "." + name + ".new" }

func isTemporary(name string) bool { return strings.HasPrefix(name, ".") }

// run makes steps one after the other, until one fails.
func run(steps ...func() error) error {
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}
