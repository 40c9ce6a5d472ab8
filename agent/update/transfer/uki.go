package transfer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"iter"

	"github.com/stele-os/stele/internal/bundle"
)

// UKI returns the UKI, Info.UKI.Bytes long. Reading ends with an error, not with io.EOF, when the whole is not what was signed: whoever writes
// it must not give it its final name before. Close ends what it started.
func (b *Bundle) UKI(ctx context.Context) io.ReadCloser {
	ctx, cancel := context.WithCancel(ctx)
	b.begin(bundle.UKI)
	next, stop := iter.Pull(b.chunks(bundle.UKI))
	return &ukiReader{bundle: b, ctx: ctx, cancel: cancel, next: next, stop: stop, sum: sha256.New(),
		frame: make([]byte, bundle.MaxFrameBytes), buffer: make([]byte, bundle.ChunkBytes)}
}

type ukiReader struct {
	bundle *Bundle
	ctx    context.Context // of the request; the reader has no other way to end
	cancel func()
	next   func() (bundle.Chunk, bool)
	stop   func()
	body   io.ReadCloser
	sum    hash.Hash
	err    error

	frame, buffer []byte
	left          []byte // of the chunk in buffer
}

func (u *ukiReader) Read(p []byte) (int, error) {
	for len(u.left) == 0 && u.err == nil {
		u.left, u.err = u.chunk()
	}
	if len(u.left) == 0 {
		return 0, u.err
	}
	n := copy(p, u.left)
	u.left = u.left[n:]
	return n, nil
}

func (u *ukiReader) chunk() ([]byte, error) {
	c, ok := u.next()
	if !ok {
		if got := hex.EncodeToString(u.sum.Sum(nil)); got != u.bundle.info.UKI.SHA256 {
			return nil, u.bundle.refuse(fmt.Errorf("the digest of its UKI is %s instead of %s", got, u.bundle.info.UKI.SHA256))
		}
		return nil, io.EOF
	}
	if u.body == nil {
		body, err := u.bundle.source.Open(u.ctx, u.bundle.path, c.FileOffset, u.length())
		if err != nil {
			return nil, u.bundle.lost(u.ctx, err)
		}
		u.body = body
	}
	frame := u.frame[:c.FrameBytes]
	if _, err := io.ReadFull(u.body, frame); err != nil {
		return nil, u.bundle.lost(u.ctx, err)
	}
	plain, err := c.Open(frame, u.buffer)
	if err != nil {
		return nil, u.bundle.refuse(err)
	}
	u.sum.Write(plain)
	u.bundle.count(bundle.UKI, Progress{Done: int64(len(plain)), Fetched: int64(len(frame))})
	return plain, nil
}

// length of all frames of the UKI, which follow each other.
func (u *ukiReader) length() (total int64) {
	for c := range u.bundle.chunks(bundle.UKI) {
		total += int64(c.FrameBytes)
	}
	return total
}

func (u *ukiReader) Close() error {
	u.cancel()
	u.stop()
	if u.body == nil {
		return nil
	}
	return u.body.Close()
}
