package repository

import (
	"archive/tar"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/stele-os/stele/internal/atomicfile"
	"github.com/stele-os/stele/internal/hint"
)

// Export writes a part of the repository as one file that an operator can push to a machine (`stele node update --bundle`): an uncompressed
// tar (POSIX.1-2001) with all roots, the present timestamp, snapshot and targets metadata and one bundle, under the paths they have in the
// repository. The metadata comes first, so that a reader knows what to think of the bundle before it comes. The same state gives the same bytes.
func (r *Repository) Export(ctx context.Context, s Selector, path string) (Published, error) {
	if r.state.pending || r.state.stale {
		return Published{}, hint.New(fmt.Errorf("cannot export from %q: its targets are signed, but not announced", r.Dir), "run stele repo expire "+r.Dir+" where the online keys are")
	}
	b, err := r.choose(s)
	if err != nil {
		return b, err
	}
	return b, atomicfile.Write(path, b.BundleBytes+1<<20, func(out *os.File) error {
		w := tar.NewWriter(out)
		for _, name := range append(r.state.files(), b.File) {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := addFile(w, r.Dir, name); err != nil {
				return fmt.Errorf("cannot export %q: %w", name, err)
			}
		}
		return w.Close()
	})
}

// files are the metadata that a client reads, in its order.
func (s *state) files() []string {
	var names []string
	for version := int64(1); version <= s.root.Signed.Version; version++ {
		names = append(names, metadataDir+"/"+rootName(version))
	}
	return append(names, metadataDir+"/"+timestampFile, metadataDir+"/"+snapshotName(s.snapshot.Signed.Version), metadataDir+"/"+targetsName(s.targets.Signed.Version))
}

func addFile(w *tar.Writer, dir, name string) error {
	f, err := os.Open(filepath.Join(dir, filepath.FromSlash(name)))
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644, Size: info.Size()}); err != nil {
		return err
	}
	_, err = io.Copy(w, f)
	return err
}
