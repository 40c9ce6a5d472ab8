package dmlog

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Flags of an entry.
type Flags uint64

// The flags of dm-log-writes.c.
const (
	// Flush: what was written before it is on the medium; it comes before the entry's own data.
	Flush Flags = 1 << iota
	// FUA: the entry's own data is on the medium.
	FUA
	// Discard: the sectors hold nothing any more.
	Discard
	// Mark is a word of the one who logs.
	Mark
	// Metadata of a file system.
	Metadata
)

const (
	magic      = 0x6a736677736872
	version    = 1
	superBytes = 28
	entryBytes = 32
	// maxEntries bounds a log: each takes about 64 bytes of memory.
	maxEntries = 8 << 20
)

// Entry is one operation on the disk.
type Entry struct {
	Flags Flags
	// Offset and Bytes are where on the disk.
	Offset, Bytes int64
	// Text of a mark.
	Text string

	data int64 // where the data lies in the log
}

// Log is a log that was read. Data stays in the file.
type Log struct {
	SectorBytes int64
	Entries     []Entry

	file io.ReaderAt
}

// Read reads the entries of a log of so many bytes.
func Read(r io.ReaderAt, sizeBytes int64) (*Log, error) {
	l, count, err := readSuper(r)
	if err != nil {
		return nil, fmt.Errorf("cannot read write log: %w", err)
	}
	at := l.SectorBytes
	for i := range count {
		e, next, err := l.readEntry(at, sizeBytes)
		if err != nil {
			return nil, fmt.Errorf("cannot read write log: entry %d of %d at byte %d: %w", i, count, at, err)
		}
		l.Entries = append(l.Entries, e)
		at = next
	}
	return l, nil
}

func readSuper(r io.ReaderAt) (*Log, uint64, error) {
	b := make([]byte, superBytes)
	if n, err := r.ReadAt(b, 0); n < len(b) {
		return nil, 0, err
	}
	le := binary.LittleEndian
	if got := le.Uint64(b); got != magic {
		return nil, 0, fmt.Errorf("its magic number is %x", got)
	}
	if got := le.Uint64(b[8:]); got != version {
		return nil, 0, fmt.Errorf("its version is %d, not %d", got, version)
	}
	count, sector := le.Uint64(b[16:]), int64(le.Uint32(b[24:]))
	if count > maxEntries {
		return nil, 0, fmt.Errorf("it has %d entries, at most %d are read", count, maxEntries)
	}
	if sector < 512 || sector > 1<<16 || sector&(sector-1) != 0 {
		return nil, 0, fmt.Errorf("its sectors have %d bytes", sector)
	}
	return &Log{SectorBytes: sector, file: r}, count, nil
}

// readEntry returns the entry at a place of the log, and where the next begins.
func (l *Log) readEntry(at, sizeBytes int64) (Entry, int64, error) {
	b := make([]byte, entryBytes)
	if n, err := l.file.ReadAt(b, at); n < len(b) {
		return Entry{}, 0, err
	}
	le := binary.LittleEndian
	sector, sectors, length := le.Uint64(b), le.Uint64(b[8:]), le.Uint64(b[24:])
	e := Entry{Flags: Flags(le.Uint64(b[16:])), data: at + l.SectorBytes}
	const limit = 1 << 40 // of sectors: no disk is larger
	if sector > limit || sectors > limit {
		return Entry{}, 0, fmt.Errorf("%d sectors at sector %d are more than a disk has", sectors, sector)
	}
	e.Offset, e.Bytes = int64(sector)*l.SectorBytes, int64(sectors)*l.SectorBytes
	if e.Flags&Mark != 0 {
		if length > uint64(l.SectorBytes-entryBytes) {
			return Entry{}, 0, fmt.Errorf("a mark of %d bytes", length)
		}
		text := make([]byte, length)
		if n, err := l.file.ReadAt(text, at+entryBytes); n < len(text) {
			return Entry{}, 0, err
		}
		e.Text = string(text)
	}
	next := e.data
	if e.hasData() {
		next += e.Bytes
	}
	if next > sizeBytes && (e.hasData() || at+entryBytes > sizeBytes) {
		return Entry{}, 0, errors.New("its data ends behind the log")
	}
	return e, next, nil
}

func (e Entry) hasData() bool { return e.Flags&(Discard|Mark) == 0 && e.Bytes > 0 }
