package tree

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// mkfsUUID is the UUID of every compressed root. Nothing finds the root by it, and a random one would change the bytes.
const mkfsUUID = "5be1e0f5-0000-8000-8000-000000000001"

// WriteCompressedEROFS writes the tree with lz4hc compression to the file at target, by mkfs.erofs of the build host
// (erofs-utils 1.5 or newer), because go-erofs does not compress. The tree is staged in a directory below workDir first; owners
// other than the caller's, devices and security attributes of baked images therefore need root.
func (t *Tree) WriteCompressedEROFS(ctx context.Context, target, workDir string, buildTime time.Time) error {
	mkfs, err := exec.LookPath("mkfs.erofs")
	if err != nil {
		return &missingMkfsError{err}
	}
	stage, err := os.MkdirTemp(workDir, "root-")
	if err != nil {
		return fmt.Errorf("cannot stage root: %w", err)
	}
	defer removeStage(stage)
	if err := t.stage(stage); err != nil {
		return err
	}
	args := []string{"-zlz4hc,9", "-C65536", "-T" + strconv.FormatInt(buildTime.Unix(), 10), "-U" + mkfsUUID, "--quiet"}
	if !t.hasOwners() {
		args = append(args, "--all-root")
	}
	if out, err := exec.CommandContext(ctx, mkfs, append(args, target, stage)...).CombinedOutput(); err != nil {
		return fmt.Errorf("cannot write compressed EROFS: mkfs.erofs: %w: %s", err, out)
	}
	return nil
}

// missingMkfsError says that the build host lacks mkfs.erofs.
type missingMkfsError struct{ err error }

func (e *missingMkfsError) Error() string {
	return fmt.Sprintf("cannot write compressed EROFS: mkfs.erofs is missing: %v", e.err)
}

func (e *missingMkfsError) Unwrap() error { return e.err }

// Hint is the next step for a person.
func (e *missingMkfsError) Hint() string {
	return "install the package erofs-utils, or use the root format erofs"
}

// hasOwners says whether anything belongs to someone other than 0:0.
func (t *Tree) hasOwners() bool {
	for _, n := range t.nodes {
		if n.UID != 0 || n.GID != 0 {
			return true
		}
	}
	return false
}

// stage makes the tree below dir. Directories get their modes last: most are not writable.
func (t *Tree) stage(dir string) error {
	entries := t.Entries()
	owners := t.hasOwners()
	for _, e := range entries {
		if e.HardLink != "" {
			continue // its target may not be there yet
		}
		if err := stageEntry(filepath.Join(dir, e.Path), e, owners); err != nil {
			return fmt.Errorf("cannot stage %q: %w", e.Path, err)
		}
	}
	for _, e := range entries {
		if e.HardLink == "" {
			continue
		}
		if err := os.Link(filepath.Join(dir, e.HardLink), filepath.Join(dir, e.Path)); err != nil {
			return fmt.Errorf("cannot stage %q: %w", e.Path, err)
		}
	}
	for _, e := range slices.Backward(entries) {
		if e.Mode.Type() == fs.ModeSymlink {
			continue
		}
		if err := os.Chmod(filepath.Join(dir, e.Path), e.Mode&^fs.ModeType); err != nil {
			return fmt.Errorf("cannot stage %q: %w", e.Path, err)
		}
	}
	return nil
}

func stageEntry(path string, e Entry, owners bool) error {
	if err := makeEntry(path, e); err != nil {
		return err
	}
	if owners {
		if err := os.Lchown(path, int(e.UID), int(e.GID)); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(e.Xattrs)) {
		if err := unix.Lsetxattr(path, name, []byte(e.Xattrs[name]), 0); err != nil {
			return fmt.Errorf("set attribute %q: %w", name, err)
		}
	}
	return nil
}

func makeEntry(path string, e Entry) error {
	switch e.Mode.Type() {
	case fs.ModeDir:
		if err := os.Mkdir(path, 0o700); err != nil && (e.Path != "/" || !errors.Is(err, fs.ErrExist)) {
			return err
		}
		return nil
	case fs.ModeSymlink:
		return os.Symlink(e.Target, path)
	case 0:
		return copyContent(path, e)
	case fs.ModeDevice:
		return unix.Mknod(path, unix.S_IFBLK|0o600, int(e.Rdev))
	case fs.ModeDevice | fs.ModeCharDevice:
		return unix.Mknod(path, unix.S_IFCHR|0o600, int(e.Rdev))
	}
	return unix.Mkfifo(path, 0o600)
}

func copyContent(path string, e Entry) error {
	r, err := e.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	n, err := io.Copy(f, r)
	if err == nil && n != e.Size {
		err = fmt.Errorf("its content has %d bytes, not %d", n, e.Size)
	}
	return errors.Join(err, f.Close())
}

// removeStage removes a staged tree, whose directories may not be writable.
func removeStage(dir string) {
	filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if d != nil && d.IsDir() {
			os.Chmod(path, 0o700)
		}
		return nil
	})
	os.RemoveAll(dir)
}
