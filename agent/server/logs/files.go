package logs

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
)

// maxFiles bounds how many older files are looked for.
const maxFiles = 100

// Files is a log at a path, with older ones beside it: path.1, path.2 and so on, the oldest last.
type Files struct {
	Path   string
	Decode func(line []byte) Entry
}

// Exist tells whether there is anything to read.
func (f Files) Exist() bool {
	files, err := f.open()
	closeAll(files)
	return err == nil && len(files) > 0
}

// open opens all files, the oldest first.
func (f Files) open() ([]*os.File, error) {
	var files []*os.File
	for i := range maxFiles {
		path := f.Path
		if i > 0 {
			path += "." + strconv.Itoa(i)
		}
		file, err := os.Open(path)
		if errors.Is(err, fs.ErrNotExist) && i > 0 {
			break
		}
		if errors.Is(err, fs.ErrNotExist) {
			continue // between two renames of a rotation
		}
		if err != nil {
			closeAll(files)
			return nil, fmt.Errorf("cannot open log %q: %w", path, err)
		}
		files = append([]*os.File{file}, files...)
	}
	return files, nil
}

func closeAll(files []*os.File) {
	for _, f := range files {
		f.Close()
	}
}

// Read hands lines to emit, the oldest first, until there are no more, or with Follow until ctx ends or emit fails.
func (f Files) Read(ctx context.Context, q Query, emit func(Entry) error) error {
	c := f.Cursor(q)
	defer c.Close()
	for {
		entry, ok, err := c.Next()
		switch {
		case err != nil:
			return err
		case ok:
			if err := pass(ctx, q, entry, emit); err != nil {
				return err
			}
		case !q.Follow:
			return nil
		default:
			if err := pause(ctx); err != nil {
				return err
			}
		}
	}
}

// Cursor is a place in the files. It belongs to one goroutine.
type Cursor struct {
	files   Files
	query   Query
	begun   bool
	pending []*os.File // still to be read, the oldest first; the first one is open in reader
	reader  *bufio.Reader
	torn    []byte // the beginning of a line whose end has not been written yet
}

// Cursor begins as the query says.
func (f Files) Cursor(q Query) *Cursor { return &Cursor{files: f, query: q} }

// Close lets go of the files.
func (c *Cursor) Close() { closeAll(c.pending) }

// Next returns the next line; ok is false when there is none at present.
func (c *Cursor) Next() (entry Entry, ok bool, err error) {
	if !c.begun {
		if err := c.begin(); err != nil {
			return Entry{}, false, err
		}
	}
	for {
		if len(c.pending) == 0 {
			if err := c.reopen(nil); err != nil || len(c.pending) == 0 {
				return Entry{}, false, err
			}
		}
		line, err := c.line()
		if err == nil {
			return c.files.Decode(line), true, nil
		}
		if !errors.Is(err, io.EOF) {
			return Entry{}, false, fmt.Errorf("cannot read log %q: %w", c.files.Path, err)
		}
		more, err := c.advance()
		if err != nil || !more {
			return Entry{}, false, err
		}
	}
}

// line returns the next whole line without its newline, cut where it is too long.
func (c *Cursor) line() ([]byte, error) {
	for {
		part, err := c.reader.ReadSlice('\n')
		if room := maxLineBytes - len(c.torn); len(part) > room {
			c.torn = append(c.torn, part[:max(room, 0)]...)
		} else {
			c.torn = append(c.torn, part...)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if err != nil {
			return nil, err
		}
		line := c.torn
		c.torn = c.torn[:0]
		if n := len(line); n > 0 && line[n-1] == '\n' {
			line = line[:n-1]
		}
		return line, nil
	}
}

// advance goes to the file after the one that is read to its end, and tells whether there is one. The newest stays open: it grows.
func (c *Cursor) advance() (bool, error) {
	if len(c.pending) == 1 {
		current := c.pending[0]
		if newest, err := os.Stat(c.files.Path); err == nil {
			if info, err := current.Stat(); err == nil && os.SameFile(info, newest) {
				return false, nil
			}
		} else if !errors.Is(err, fs.ErrNotExist) {
			return false, fmt.Errorf("cannot look at log %q: %w", c.files.Path, err)
		} else {
			return false, nil // in the middle of a rotation
		}
		// It was renamed. What was written between the last read and the renaming is still to be read.
		if part, _ := c.reader.Peek(1); len(part) > 0 {
			return true, nil
		}
		if err := c.reopen(current); err != nil {
			return false, err
		}
		return len(c.pending) > 0, nil
	}
	c.pending[0].Close()
	c.use(c.pending[1:])
	return true, nil
}

// reopen looks for the files after one (nil: all of them).
func (c *Cursor) reopen(after *os.File) error {
	files, err := c.files.open()
	if err != nil {
		return err
	}
	if after != nil {
		known, err := after.Stat()
		for i, f := range files {
			info, statErr := f.Stat()
			if err == nil && statErr == nil && os.SameFile(info, known) {
				closeAll(files[:i+1])
				files = files[i+1:]
				break
			}
		}
		after.Close()
	}
	c.use(files)
	return nil
}

func (c *Cursor) use(files []*os.File) {
	c.pending, c.torn = files, c.torn[:0]
	if len(files) == 0 {
		return
	}
	if c.reader == nil {
		c.reader = bufio.NewReaderSize(files[0], 16<<10)
	} else {
		c.reader.Reset(files[0])
	}
}
