package repository

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/stele-os/stele/internal/atomicfile"
)

// file is a metadata file to be written.
type file struct {
	name string
	text []byte
}

// writeAll writes metadata files in their order, each whole and on the disk before the next one begins.
func (o Options) writeAll(files []file) error {
	for _, f := range files {
		path := filepath.Join(o.Dir, metadataDir, f.name)
		if err := o.before(path); err != nil {
			return err
		}
		err := atomicfile.Write(path, int64(len(f.text)), func(out *os.File) error {
			_, err := out.Write(f.text)
			return err
		})
		if err != nil {
			return err
		}
		if err := syncDir(filepath.Dir(path)); err != nil {
			return err
		}
	}
	return nil
}

func (o Options) before(path string) error {
	if o.beforeWrite == nil {
		return nil
	}
	return o.beforeWrite(path)
}

// syncDir makes names in a directory survive a power cut.
func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Sync(); err != nil {
		return fmt.Errorf("cannot sync directory %q: %w", dir, err)
	}
	return nil
}
