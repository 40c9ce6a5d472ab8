package transfer

import (
	"context"
	"io"

	"golang.org/x/sync/errgroup"

	"github.com/stele-os/stele/internal/bundle"
)

// frame is one chunk on its way from the reader to a worker.
type frame struct {
	chunk bundle.Chunk
	data  []byte
}

// pipe has a bounded number of buffers for frames: the reader waits for a worker to give one back.
type pipe struct {
	frames chan frame
	free   chan []byte
}

// fetch brings the missing chunks of a part to put, which is called from several goroutines, in no order.
func (b *Bundle) fetch(ctx context.Context, part bundle.PartName, missing func(bundle.Chunk) bool, put func(bundle.Chunk, []byte) error) error {
	p := pipe{frames: make(chan frame), free: make(chan []byte, 2*workers())}
	for range cap(p.free) {
		p.free <- nil
	}
	group, working := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer close(p.frames)
		return b.readRuns(working, part, missing, p)
	})
	for range workers() {
		group.Go(func() error {
			buffer := make([]byte, bundle.ChunkBytes)
			for f := range p.frames {
				if err := b.open(f, buffer, put); err != nil {
					return err
				}
				p.free <- f.data
			}
			return nil
		})
	}
	return group.Wait()
}

// open turns a frame into bytes that are put where they belong.
func (b *Bundle) open(f frame, buffer []byte, put func(bundle.Chunk, []byte) error) error {
	plain, err := f.chunk.Open(f.data, buffer)
	if err != nil {
		return b.refuse(err)
	}
	if err := put(f.chunk, plain); err != nil {
		return err
	}
	b.count(f.chunk.Part, Progress{Done: int64(len(plain)), Fetched: int64(len(f.data))})
	return nil
}

// maxRun bounds the memory of a run, and with it one request.
const maxRun = 1024

// readRuns asks once for each row of missing chunks, whose frames follow each other in the file, and reads them.
func (b *Bundle) readRuns(ctx context.Context, part bundle.PartName, missing func(bundle.Chunk) bool, p pipe) error {
	var run []bundle.Chunk
	for c := range b.chunks(part) {
		if missing(c) {
			run = append(run, c)
		}
		if len(run) == maxRun || !missing(c) && len(run) > 0 {
			if err := b.readRun(ctx, run, p); err != nil {
				return err
			}
			run = run[:0]
		}
	}
	if len(run) == 0 {
		return nil
	}
	return b.readRun(ctx, run, p)
}

func (b *Bundle) readRun(ctx context.Context, run []bundle.Chunk, p pipe) error {
	last := run[len(run)-1]
	bytes := last.FileOffset + int64(last.FrameBytes) - run[0].FileOffset
	return b.read(ctx, run[0].FileOffset, bytes, func(body io.Reader) error {
		for _, c := range run {
			if err := readFrame(ctx, c, body, p); err != nil {
				return err
			}
		}
		return nil
	})
}

func readFrame(ctx context.Context, c bundle.Chunk, body io.Reader, p pipe) error {
	var data []byte
	select {
	case data = <-p.free:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if cap(data) < c.FrameBytes {
		data = make([]byte, bundle.MaxFrameBytes)
	}
	data = data[:c.FrameBytes]
	if _, err := io.ReadFull(body, data); err != nil {
		return err
	}
	select {
	case p.frames <- frame{c, data}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
