package resolve

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/stele-os/stele/builder/store"
	"github.com/stele-os/stele/internal/debian"
	"github.com/stele-os/stele/internal/hint"
)

// Mirror opens files of a Debian mirror; *debian.Archive is one.
type Mirror interface {
	Open(ctx context.Context, path string) (io.ReadCloser, error)
}

// Fetcher hands out pinned packages.
type Fetcher struct {
	Lock  *Lock
	Store *store.Store
	// Mirror is called when the store lacks a package: a build that has everything needs no mirror.
	Mirror func() (Mirror, error)
	// Progress is told how many bytes of a package have arrived.
	Progress func(pin Pin, doneBytes int64)
}

// Fetch returns the path of a package file that has exactly the pinned bytes.
func (f *Fetcher) Fetch(ctx context.Context, pin Pin) (string, error) {
	fetch := store.Fetch{
		Name: fmt.Sprintf("%s %s", pin.Name, pin.Version),
		Open: func(ctx context.Context) (io.ReadCloser, error) {
			mirror, err := f.Mirror()
			if err != nil {
				return nil, err
			}
			return mirror.Open(ctx, pin.Path)
		},
	}
	if f.Progress != nil {
		fetch.Progress = func(done int64) { f.Progress(pin, done) }
	}
	path, _, err := f.Store.Blob(ctx, store.Digest{SHA256: pin.SHA256, SizeBytes: pin.SizeBytes}, fetch)
	var hinted interface{ Hint() string }
	switch {
	case err == nil || errors.As(err, &hinted) || ctx.Err() != nil:
		return path, err
	case errors.Is(err, debian.ErrNotFound):
		return "", hint.New(err, `run "stele lock" to pin what the mirror has now`)
	}
	return "", hint.New(err, "check the network, or name another mirror with DEBIAN_MIRROR")
}
