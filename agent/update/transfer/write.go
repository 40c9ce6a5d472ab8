package transfer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"runtime"

	"github.com/stele-os/stele/agent/fault"
	"github.com/stele-os/stele/internal/block"
	"github.com/stele-os/stele/internal/bundle"
	"github.com/stele-os/stele/internal/verity"
)

// Slot is where hash tree and root go.
type Slot struct{ Root, Verity block.Device }

// Running is the slot to take identical blocks from; what is read from it is verified like everything else. The zero value is none.
type Running struct{ Root, Verity io.ReaderAt }

// Write makes the slot hold the bundle's hash tree and root. After an error, or a power cut, a second call does only what is missing.
func (b *Bundle) Write(ctx context.Context, slot Slot, running Running) error {
	for _, part := range []struct {
		name   bundle.PartName
		bytes  int64
		device block.Device
	}{{bundle.Verity, b.info.Verity.Bytes, slot.Verity}, {bundle.Root, b.info.Root.Bytes, slot.Root}} {
		if size := part.device.SizeBytes(); size < part.bytes {
			return fault.New(fault.Exhausted, "cannot take bundle %q: its %s has %d bytes, and the slot's partition %d", b.path, part.name, part.bytes, size)
		}
	}
	b.begin(bundle.Verity)
	b.begin(bundle.Root)
	hashes, err := b.writeVerity(ctx, slot.Verity)
	if err != nil {
		return err
	}
	w := &rootWriter{Bundle: b, hashes: hashes, slot: slot.Root, running: running}
	return w.write(ctx)
}

// writeVerity makes the slot hold the tree, and returns it verified. A tree of which anything is wrong is fetched anew: it has less than a
// hundredth of the root's length.
func (b *Bundle) writeVerity(ctx context.Context, device block.Device) (tree, error) {
	wrong := b.checkVerity(ctx, device)
	if wrong == nil {
		b.count(bundle.Verity, Progress{Done: b.info.Verity.Bytes, Reused: b.info.Verity.Bytes})
	} else {
		put := writeTo(device)
		all := func(bundle.Chunk) bool { return true }
		if err := b.fetch(ctx, bundle.Verity, all, put); err != nil {
			return tree{}, err
		}
		wrong = b.checkVerity(ctx, device)
	}
	if err := ctx.Err(); err != nil {
		return tree{}, context.Cause(ctx)
	}
	if wrong != nil {
		return tree{}, b.refuse(wrong)
	}
	root, err := b.info.RootDigest()
	if err != nil {
		return tree{}, b.refuse(err)
	}
	hashes, err := openTree(device, root)
	if err == nil && hashes.dataBlocks*verity.BlockSize != b.info.Root.Bytes {
		err = fmt.Errorf("its hash tree is for %d blocks, its root has %d bytes", hashes.dataBlocks, b.info.Root.Bytes)
	}
	if err == nil {
		err = hashes.check(ctx)
	}
	if err != nil {
		return tree{}, b.refuse(err)
	}
	return hashes, nil
}

// checkVerity compares what the device holds with the signed digest.
func (b *Bundle) checkVerity(ctx context.Context, device io.ReaderAt) error {
	h := sha256.New()
	buffer := make([]byte, 256<<10)
	in := io.NewSectionReader(device, 0, b.info.Verity.Bytes)
	for ctx.Err() == nil {
		n, err := in.Read(buffer)
		h.Write(buffer[:n])
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("cannot read back its hash tree: %w", err)
		}
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != b.info.Verity.SHA256 {
		return fmt.Errorf("the digest of its hash tree is %s instead of %s", got, b.info.Verity.SHA256)
	}
	return nil
}

// writeTo puts chunks where they belong.
func writeTo(device block.Device) func(bundle.Chunk, []byte) error {
	return func(c bundle.Chunk, plain []byte) error { return writeAt(device, c.Part, plain, c.PartOffset) }
}

func writeAt(device block.Device, part bundle.PartName, p []byte, at int64) error {
	if _, err := device.WriteAt(p, at); err != nil {
		return fmt.Errorf("cannot write %s at byte %d: %w", part, at, err)
	}
	return nil
}

// workers decompress and write beside the one goroutine that reads: more only take more memory.
func workers() int { return min(runtime.GOMAXPROCS(0), 4) }
