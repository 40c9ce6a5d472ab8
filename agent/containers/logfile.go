package containers

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync"
	"time"
)

const (
	defaultLogSizeBytes = 10 << 20
	defaultLogFiles     = 3
	// maxLineBytes is where a line without end is cut (tag P), the same as in containerd's CRI plugin.
	maxLineBytes = 16 << 10
)

// logFile is the newest of a container's log files. Older ones have .1, .2, ... after their name. All together they never hold more than
// bounds.sizeBytes times bounds.files.
type logFile struct {
	mu     sync.Mutex
	path   string
	bounds logBounds
	file   *os.File
	size   int64
}

func openLogFile(path string, b logBounds) (*logFile, error) {
	if b.sizeBytes <= 0 {
		b.sizeBytes = defaultLogSizeBytes
	}
	if b.files <= 0 {
		b.files = defaultLogFiles
	}
	l := &logFile{path: path, bounds: b}
	if err := l.reopen(); err != nil {
		return nil, err
	}
	return l, nil
}

func (l *logFile) reopen() error {
	f, err := os.OpenFile(l.path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o640)
	if err != nil {
		return fmt.Errorf("cannot open log %q: %w", l.path, err)
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return fmt.Errorf("cannot look at log %q: %w", l.path, err)
	}
	l.file, l.size = f, info.Size()
	return nil
}

// write adds one record, in a new file when the present one would grow too large.
func (l *logFile) write(record []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.size > 0 && l.size+int64(len(record)) > l.bounds.sizeBytes {
		if err := l.rotate(); err != nil {
			return err
		}
	}
	n, err := l.file.Write(record)
	l.size += int64(n)
	return err
}

// rotate renames from the oldest on, so that a cut in between loses at most the oldest file.
func (l *logFile) rotate() error {
	if err := l.file.Close(); err != nil {
		return err
	}
	older := func(i int) string { return l.path + "." + strconv.Itoa(i) }
	for i := l.bounds.files - 1; i >= 1; i-- {
		from := l.path
		if i > 1 {
			from = older(i - 1)
		}
		if err := os.Rename(from, older(i)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	if l.bounds.files == 1 {
		if err := os.Remove(l.path); err != nil {
			return err
		}
	}
	return l.reopen()
}

func (l *logFile) close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.file.Close()
}

// copyLines turns a stream into records "<RFC3339Nano> <stream> F|P <text>" until the stream ends. What cannot be written is dropped: a full
// disk must not stop a container.
func copyLines(l *logFile, stream string, r io.Reader, now func() time.Time) {
	in := bufio.NewReaderSize(r, maxLineBytes)
	var record []byte
	for {
		line, err := in.ReadSlice('\n')
		tag := " F "
		if errors.Is(err, bufio.ErrBufferFull) {
			tag, err = " P ", nil
		}
		if len(line) > 0 {
			if line[len(line)-1] == '\n' {
				line = line[:len(line)-1]
			}
			record = now().UTC().AppendFormat(record[:0], time.RFC3339Nano)
			record = append(append(append(record, ' '), stream...), tag...)
			record = append(append(record, line...), '\n')
			_ = l.write(record)
		}
		if err != nil {
			return
		}
	}
}
