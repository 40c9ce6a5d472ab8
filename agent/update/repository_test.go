package update

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"sync"

	"github.com/stele-os/stele/agent/update/repository"
)

// fakeRepository is source and trust in one.
type fakeRepository struct {
	targets repository.Targets
	files   map[string][]byte

	mu sync.Mutex
	// After works reads, failures reads fail, each after half of what it was asked for.
	works, failures int
	// worksAnew is what each refresh sets works to; 0: it leaves it alone.
	worksAnew int
	// refreshes counts them; each waits until hold is closed (nil: it does not wait).
	refreshes int
	hold      chan struct{}
	// gate holds reads back until it is closed; nil: it does not.
	gate  chan struct{}
	bytes int64 // sent

	// floor of security versions, and why it cannot be kept.
	floor    int64
	floorErr error
}

func (f *fakeRepository) SecurityFloor(context.Context) (int64, error) { return f.floor, nil }

func (f *fakeRepository) RaiseSecurityFloor(_ context.Context, version int64) error {
	if f.floorErr == nil {
		f.floor = version
	}
	return f.floorErr
}

func (f *fakeRepository) Refresh(ctx context.Context, _ repository.Source) (repository.Targets, error) {
	f.refreshes++
	if f.hold != nil {
		select {
		case <-f.hold:
		case <-ctx.Done():
			return repository.Targets{}, ctx.Err()
		}
	}
	if f.worksAnew > 0 {
		f.works = f.worksAnew
	}
	t := f.targets
	t.List = slices.Clone(t.List)
	return t, nil
}

func (f *fakeRepository) String() string { return "the test's repository" }

func (f *fakeRepository) Open(ctx context.Context, path string, offset, length int64) (io.ReadCloser, error) {
	content, ok := f.files[path]
	if !ok {
		return nil, repository.ErrNotFound
	}
	if length < 0 {
		length = int64(len(content)) - offset
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.gate != nil {
		gate := f.gate
		f.mu.Unlock()
		select {
		case <-gate:
		case <-ctx.Done():
		}
		f.mu.Lock()
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	part := content[offset : offset+length]
	if f.works--; f.works < 0 && f.failures > 0 {
		f.failures--
		f.bytes += int64(len(part) / 2)
		return io.NopCloser(io.MultiReader(bytes.NewReader(part[:len(part)/2]), broken{})), nil
	}
	f.bytes += int64(len(part))
	return io.NopCloser(bytes.NewReader(part)), nil
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("connection reset") }
