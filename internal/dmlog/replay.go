package dmlog

import (
	"context"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"github.com/stele-os/stele/internal/sparse"
)

// Disk is what entries are applied to.
type Disk interface {
	io.WriterAt
	// Discard makes a range read as zero.
	Discard(offset, bytes int64) error
}

// Apply does the first n operations on a disk.
func (l *Log) Apply(d Disk, n int) error {
	for i, e := range l.Entries[:min(n, len(l.Entries))] {
		if err := l.apply(d, e); err != nil {
			return fmt.Errorf("cannot apply entry %d of the write log: %w", i, err)
		}
	}
	return nil
}

func (l *Log) apply(d Disk, e Entry) error {
	switch {
	case e.Flags&Discard != 0:
		return d.Discard(e.Offset, e.Bytes)
	case !e.hasData():
		return nil
	}
	_, err := io.Copy(io.NewOffsetWriter(d, e.Offset), io.NewSectionReader(l.file, e.data, e.Bytes))
	return err
}

// Data is what an entry writes.
func (l *Log) Data(e Entry) ([]byte, error) {
	if !e.hasData() {
		return nil, nil
	}
	b := make([]byte, e.Bytes)
	if n, err := l.file.ReadAt(b, e.data); n < len(b) {
		return nil, fmt.Errorf("cannot read data of the write log: %w", err)
	}
	return b, nil
}

// Replay writes to a new sparse file the disk as it was after the first n operations on base.
func (l *Log) Replay(ctx context.Context, to, base string, n int) error {
	if err := sparse.Copy(ctx, to, base); err != nil {
		return err
	}
	f, err := os.OpenFile(to, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := l.Apply(fileDisk{f}, n); err != nil {
		return err
	}
	return f.Close()
}

type fileDisk struct{ *os.File }

// Discard punches a hole.
func (f fileDisk) Discard(offset, bytes int64) error {
	if bytes == 0 {
		return nil
	}
	return unix.Fallocate(int(f.Fd()), unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, offset, bytes)
}
