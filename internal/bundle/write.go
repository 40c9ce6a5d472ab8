package bundle

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
)

// Source is where a part is read from, once and in order.
type Source struct {
	Reader io.Reader
	// Bytes that the reader has; more or less is an error.
	Bytes int64
}

// Sources are the parts of a bundle.
type Sources struct {
	UKI, Verity, Root Source
}

// Write writes a bundle to w and returns info with its sizes and digests filled in; name, version, architecture, minimum version and root
// hash are the caller's. The same parts give the same bytes.
func Write(ctx context.Context, w io.Writer, parts Sources, info Info) (Info, error) {
	b := &writer{out: bufio.NewWriterSize(w, ChunkBytes), offset: int64(len(Magic))}
	if err := b.write(ctx, parts, &info); err != nil {
		return Info{}, fmt.Errorf("cannot write bundle %q: %w", info.TargetName(), err)
	}
	return info, info.Validate()
}

type writer struct {
	out    *bufio.Writer
	offset int64
	table  []byte
}

func (b *writer) write(ctx context.Context, parts Sources, info *Info) error {
	c, err := newCompressor()
	if err != nil {
		return err
	}
	if _, err := b.out.WriteString(Magic); err != nil {
		return err
	}
	for _, p := range []struct {
		name   PartName
		source Source
		to     *Part
	}{{UKI, parts.UKI, &info.UKI}, {Verity, parts.Verity, &info.Verity}, {Root, parts.Root, &info.Root}} {
		if *p.to, err = b.part(ctx, c, p.source); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	sum := sha256.Sum256(b.table)
	info.Format = Format
	info.Table = Table{Offset: b.offset, Length: int64(len(b.table)), SHA256: hex.EncodeToString(sum[:])}
	info.BundleBytes = b.offset + info.Table.Length
	if _, err := b.out.Write(b.table); err != nil {
		return err
	}
	return b.out.Flush()
}

// part writes a part's chunks, as many at a time as there are compressors.
func (b *writer) part(ctx context.Context, c *compressor, source Source) (Part, error) {
	digest := sha256.New()
	for left := source.Bytes; left > 0; {
		if err := ctx.Err(); err != nil {
			return Part{}, err
		}
		n, err := c.fill(source.Reader, left, digest)
		if err != nil {
			return Part{}, err
		}
		left -= n
		for _, frame := range c.compress() {
			b.table = appendEntry(b.table, frame)
			b.offset += int64(len(frame))
			if _, err := b.out.Write(frame); err != nil {
				return Part{}, err
			}
		}
	}
	switch _, err := io.ReadFull(source.Reader, make([]byte, 1)); {
	case err == nil:
		return Part{}, fmt.Errorf("it goes on behind %d bytes", source.Bytes)
	case !errors.Is(err, io.EOF):
		return Part{}, err
	}
	return Part{Bytes: source.Bytes, SHA256: sum(digest)}, nil
}

func sum(h hash.Hash) string { return hex.EncodeToString(h.Sum(nil)) }
