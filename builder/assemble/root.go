package assemble

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/stele-os/stele/builder/tree"
	"github.com/stele-os/stele/internal/atomicfile"
)

// Root formats.
const (
	// EROFS is uncompressed, written by go-erofs: fast, and an update can fetch the changed blocks alone.
	EROFS = "erofs"
	// CompressedEROFS is lz4hc, written by mkfs.erofs of the build host: for small disks.
	CompressedEROFS = "erofs-lz4hc"
)

// WriteRoot writes the tree as a file system image. workDir is where the compressed format stages the tree.
func WriteRoot(ctx context.Context, path string, t *tree.Tree, format, workDir string, buildTime time.Time) error {
	var need int64
	for _, e := range t.Entries() {
		need += e.Size
	}
	return atomicfile.Write(path, need, func(f *os.File) error {
		switch format {
		case EROFS:
			return t.WriteEROFS(f, buildTime)
		case CompressedEROFS:
			return t.WriteCompressedEROFS(ctx, f.Name(), workDir, buildTime)
		}
		return fmt.Errorf("root format %q is unknown, use %q or %q", format, EROFS, CompressedEROFS)
	})
}
