package transfer

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"

	"golang.org/x/sync/errgroup"

	"github.com/stele-os/stele/internal/block"
	"github.com/stele-os/stele/internal/bundle"
	"github.com/stele-os/stele/internal/verity"
)

const blocksPerChunk = bundle.ChunkBytes / verity.BlockSize

// rootWriter brings the root into the slot: first what the machine has, then the rest.
type rootWriter struct {
	*Bundle
	hashes  tree
	slot    block.Device
	running Running
	blocks  index
	// missing has a byte for each chunk; each is written by one goroutine.
	missing []bool
}

func (w *rootWriter) write(ctx context.Context) error {
	w.missing = make([]bool, (w.info.Root.Bytes+bundle.ChunkBytes-1)/bundle.ChunkBytes)
	w.blocks = newIndex(ctx, w.running)
	if err := w.reuse(ctx); err != nil {
		return err
	}
	w.blocks = nil
	missing := func(c bundle.Chunk) bool { return w.missing[c.PartOffset/bundle.ChunkBytes] }
	return w.fetch(ctx, bundle.Root, missing, writeTo(w.slot))
}

// reuse completes the chunks whose blocks the machine has, and notes the others.
func (w *rootWriter) reuse(ctx context.Context) error {
	group, working := errgroup.WithContext(ctx)
	chunks := make(chan bundle.Chunk)
	group.Go(func() error {
		defer close(chunks)
		for c := range w.chunks(bundle.Root) {
			select {
			case chunks <- c:
			case <-working.Done():
				return context.Cause(working)
			}
		}
		return nil
	})
	for range workers() {
		group.Go(func() error {
			a := newAssembly(w)
			for c := range chunks {
				if err := a.assemble(c); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// assembly puts chunks together from blocks of the slot and of the running one. It is one goroutine's.
type assembly struct {
	*rootWriter
	hash      *hasher
	leaves    []byte
	slot      view
	running   view
	elsewhere []byte
}

func newAssembly(w *rootWriter) *assembly {
	return &assembly{rootWriter: w, hash: newHasher(w.hashes.salt), leaves: make([]byte, blocksPerChunk*sha256.Size),
		slot: newView(w.slot), running: newView(w.running.Root), elsewhere: make([]byte, verity.BlockSize)}
}

// assemble writes the chunk where the slot does not hold it, or notes that it is missing at its first block that is nowhere.
func (a *assembly) assemble(c bundle.Chunk) error {
	blocks := c.Bytes / verity.BlockSize
	if err := a.hashes.readLeaves(a.leaves[:blocks*sha256.Size], c.PartOffset/verity.BlockSize); err != nil {
		return err
	}
	a.slot.move(c)
	a.running.move(c)
	changed := false
	for i := range blocks {
		want := a.leaves[i*sha256.Size:][:sha256.Size]
		if held := a.slot.block(i); held != nil && a.hash.matches(held, want) {
			continue
		}
		found := a.find(i, want)
		if found == nil {
			a.missing[c.PartOffset/bundle.ChunkBytes] = true
			return nil
		}
		a.slot.replace(i, found)
		changed = true
	}
	if changed {
		if err := writeTo(a.rootWriter.slot)(c, a.slot.buffer[:c.Bytes]); err != nil {
			return err
		}
	}
	a.count(bundle.Root, Progress{Done: int64(c.Bytes), Reused: int64(c.Bytes)})
	return nil
}

// find looks for a block in the running slot, at the same place first.
func (a *assembly) find(i int, want []byte) []byte {
	if a.running.device == nil {
		return nil
	}
	if held := a.running.block(i); held != nil && a.hash.matches(held, want) {
		return held
	}
	at, ok := a.blocks.find(want)
	if !ok {
		return nil
	}
	if n, _ := a.running.device.ReadAt(a.elsewhere, at*verity.BlockSize); n < len(a.elsewhere) || !a.hash.matches(a.elsewhere, want) {
		return nil
	}
	return a.elsewhere
}

// view is one chunk's place on a device. The first block is read alone: where it is wrong already, the others are not needed.
type view struct {
	device io.ReaderAt
	buffer []byte
	at     int64
	length int
	// read is how much of the buffer is filled; what could not be read is none.
	read int
	dead bool
}

func newView(device io.ReaderAt) view {
	return view{device: device, buffer: make([]byte, bundle.ChunkBytes)}
}

func (v *view) move(c bundle.Chunk) { v.at, v.length, v.read, v.dead = c.PartOffset, c.Bytes, 0, false }

// block returns the block at this place, or nil where it cannot be read.
func (v *view) block(i int) []byte {
	start := i * verity.BlockSize
	end := start + verity.BlockSize
	if v.read < end && !v.dead {
		to := v.length
		if i == 0 {
			to = end
		}
		n, err := v.device.ReadAt(v.buffer[v.read:to], v.at+int64(v.read))
		v.dead = err != nil && !errors.Is(err, io.EOF) || n < to-v.read
		v.read += n
	}
	if v.read < end {
		return nil
	}
	return v.buffer[start:end]
}

// replace puts a block into the buffer, over what the device holds.
func (v *view) replace(i int, block []byte) {
	end := (i + 1) * verity.BlockSize
	copy(v.buffer[end-verity.BlockSize:end], block)
	if v.dead && v.read < end {
		v.read = end
	}
}
