package transfer

import (
	"context"
	"crypto/sha256"
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
	hash    *hasher
	leaves  []byte
	buffer  []byte
	running window
}

func newAssembly(w *rootWriter) *assembly {
	return &assembly{rootWriter: w, hash: newHasher(w.hashes.salt), leaves: make([]byte, blocksPerChunk*sha256.Size),
		buffer: make([]byte, bundle.ChunkBytes), running: newWindow(w.running.Root)}
}

// assemble completes the chunk in the slot, or notes that it is missing at its first block that is nowhere. Of the slot it takes what is right from
// the chunk's beginning on: that is what an interrupted staging leaves, and to ask for more would hash each block twice.
func (a *assembly) assemble(c bundle.Chunk) error {
	blocks := c.Bytes / verity.BlockSize
	first := c.PartOffset / verity.BlockSize
	if err := a.hashes.readLeaves(a.leaves[:blocks*sha256.Size], first); err != nil {
		return err
	}
	held := a.held(c, 0, 1)
	if held == 1 {
		held += a.held(c, 1, blocks)
	}
	for i := held; i < blocks; i++ {
		found := a.find(first+int64(i), a.leaf(i))
		if found == nil {
			a.missing[c.PartOffset/bundle.ChunkBytes] = true
			return nil
		}
		copy(a.buffer[i*verity.BlockSize:], found)
	}
	if at := held * verity.BlockSize; at < c.Bytes {
		if err := writeAt(a.slot, c.Part, a.buffer[at:c.Bytes], c.PartOffset+int64(at)); err != nil {
			return err
		}
	}
	a.count(bundle.Root, Progress{Done: int64(c.Bytes), Reused: int64(c.Bytes)})
	return nil
}

// leaf is the digest that block i of the chunk must have.
func (a *assembly) leaf(i int) []byte { return a.leaves[i*sha256.Size:][:sha256.Size] }

// held reads blocks of the chunk from the slot, and says how many are right before the first that is not.
func (a *assembly) held(c bundle.Chunk, from, to int) int {
	start := from * verity.BlockSize
	n, _ := a.slot.ReadAt(a.buffer[start:to*verity.BlockSize], c.PartOffset+int64(start)) // what cannot be read is not held
	right := 0
	for ; (right+1)*verity.BlockSize <= n; right++ {
		if !a.hash.matches(a.buffer[start+right*verity.BlockSize:][:verity.BlockSize], a.leaf(from+right)) {
			break
		}
	}
	return right
}

// find looks for a block in the running slot: where its index says, or behind the end of what is indexed, at the same place.
func (a *assembly) find(number int64, want []byte) []byte {
	at, known := a.blocks.find(want)
	if !known && number >= maxIndexed {
		at, known = number, true
	}
	if !known {
		return nil
	}
	if block := a.running.block(at); block != nil && a.hash.matches(block, want) {
		return block
	}
	return nil
}

// windowBlocks, 256 KiB, are read at once where blocks follow each other.
const windowBlocks = 64

// window is what was last read of the running slot: one block, or many where the one asked for follows the last.
type window struct {
	device       io.ReaderAt
	buffer       []byte
	first, count int64
}

func newWindow(device io.ReaderAt) window {
	return window{device: device, buffer: make([]byte, windowBlocks*verity.BlockSize)}
}

// block returns a block until the next call, or nil where it cannot be read.
func (w *window) block(n int64) []byte {
	if w.device == nil {
		return nil
	}
	if n < w.first || n >= w.first+w.count {
		ahead := int64(1)
		if n == w.first+w.count {
			ahead = windowBlocks
		}
		read, _ := w.device.ReadAt(w.buffer[:ahead*verity.BlockSize], n*verity.BlockSize)
		w.first, w.count = n, int64(read/verity.BlockSize)
	}
	if w.count == 0 {
		return nil
	}
	return w.buffer[(n-w.first)*verity.BlockSize:][:verity.BlockSize]
}
