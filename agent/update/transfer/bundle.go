package transfer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"sync"

	"github.com/stele-os/stele/agent/fault"
	"github.com/stele-os/stele/agent/update/repository"
	"github.com/stele-os/stele/internal/bundle"
)

// Bundle is one whose table was fetched and verified.
type Bundle struct {
	source repository.Source
	path   string
	info   bundle.Info
	index  *bundle.Index
	report func(Progress)

	mu       sync.Mutex
	progress Progress
	done     map[bundle.PartName]int64
}

// Progress in bytes before compression, but for Fetched. Done and Total count all three parts.
type Progress struct{ Done, Total, Fetched, Reused int64 }

// Open fetches the table of a verified target. report, which may be nil, is called after each chunk, never twice at a time.
func Open(ctx context.Context, src repository.Source, target repository.Target, report func(Progress)) (*Bundle, error) {
	if report == nil {
		report = func(Progress) {}
	}
	info := target.Info
	b := &Bundle{source: src, path: target.Path, info: info, report: report, done: map[bundle.PartName]int64{}}
	if err := info.Validate(); err != nil {
		return nil, fault.As(fault.Precondition, err)
	}
	b.progress.Total = info.UKI.Bytes + info.Verity.Bytes + info.Root.Bytes
	raw := make([]byte, info.Table.Length)
	err := b.read(ctx, info.Table.Offset, info.Table.Length, func(r io.Reader) error {
		_, err := io.ReadFull(r, raw)
		return err
	})
	if err != nil {
		return nil, err
	}
	b.count("", Progress{Fetched: info.Table.Length})
	if b.index, err = bundle.ReadTable(raw, info); err != nil {
		return nil, b.refuse(err)
	}
	return b, nil
}

// read opens a range of the bundle's file for take, which reads all of it.
func (b *Bundle) read(ctx context.Context, offset, length int64, take func(io.Reader) error) error {
	body, err := b.source.Open(ctx, b.path, offset, length)
	if err != nil {
		return b.lost(ctx, err)
	}
	defer body.Close()
	return b.lost(ctx, take(body))
}

// lost explains that the source gave up. The end of the context is not the source's.
func (b *Bundle) lost(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return fault.As(fault.Unavailable, fmt.Errorf("cannot read bundle %q of %s: %w", b.path, b.source, err))
}

// refuse is about what the source sent.
func (b *Bundle) refuse(err error) error {
	return fault.New(fault.Precondition, "cannot take bundle %q of %s: %w", b.path, b.source, err)
}

// begin starts a part over.
func (b *Bundle) begin(part bundle.PartName) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.progress.Done -= b.done[part]
	b.done[part] = 0
}

// count adds to the progress and reports it.
func (b *Bundle) count(part bundle.PartName, p Progress) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.done[part] += p.Done
	b.progress.Done += p.Done
	b.progress.Fetched += p.Fetched
	b.progress.Reused += p.Reused
	b.report(b.progress)
}

// chunks of one part.
func (b *Bundle) chunks(part bundle.PartName) iter.Seq[bundle.Chunk] {
	return func(yield func(bundle.Chunk) bool) {
		for c := range b.index.Chunks() {
			if c.Part == part && !yield(c) {
				return
			}
		}
	}
}
