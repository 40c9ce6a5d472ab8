package metadata

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
)

// espDocument is the file on the EFI system partition, for machines that no cloud or hypervisor configures.
const espDocument = "/stele/config.yaml"

// metal reads the document from the boot disk's EFI system partition.
type metal struct {
	root    string
	device  string
	mounter Mounter
}

func (metal) Name() string       { return "metal" }
func (metal) NeedsNetwork() bool { return false }

func (e metal) Fetch(ctx context.Context) (Result, error) {
	if err := ctx.Err(); err != nil {
		return Result{}, err
	}
	if e.device == "" {
		return Result{}, fmt.Errorf("file %q (no EFI system partition): %w", espDocument, ErrNotFound)
	}
	result := Result{Platform: "metal", Origin: fmt.Sprintf("file %s on %s", espDocument, e.device)}
	err := withMount(e.root, e.mounter, e.device, "vfat", func(dir string) (err error) {
		result.UserData, err = readFile(filepath.Join(dir, espDocument), MaxDocumentBytes)
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("file %q on %s: %w", espDocument, e.device, ErrNotFound)
		}
		return err
	})
	if err != nil {
		return Result{}, err
	}
	return result, nil
}
