package logs

import (
	"bytes"
	"fmt"
	"io"
	"os"
)

// tailBlockBytes is what is read at a time, backwards.
const tailBlockBytes = 16 << 10

// begin opens the files and goes to the first of the last lines.
func (c *Cursor) begin() error {
	files, err := c.files.open()
	if err != nil {
		return err
	}
	c.begun = true
	if c.query.Tail <= 0 {
		c.use(files)
		return nil
	}
	want := c.query.Tail
	for i := len(files) - 1; i >= 0; i-- {
		offset, found, err := lastLines(files[i], want)
		if err != nil {
			closeAll(files)
			return fmt.Errorf("cannot read log %q: %w", c.files.Path, err)
		}
		if found < want {
			want -= found
			continue
		}
		if _, err := files[i].Seek(offset, io.SeekStart); err != nil {
			closeAll(files)
			return fmt.Errorf("cannot read log %q: %w", c.files.Path, err)
		}
		closeAll(files[:i])
		files = files[i:]
		break
	}
	c.use(files)
	return nil
}

// lastLines returns where the last n lines of a file begin, or how many there are where they are fewer. A line without end counts as none.
func lastLines(f *os.File, n int) (offset int64, found int, err error) {
	info, err := f.Stat()
	if err != nil {
		return 0, 0, err
	}
	block := make([]byte, tailBlockBytes)
	// The newline before the first wanted line is the n+1st from the end.
	for end := info.Size(); end > 0; {
		start := max(end-tailBlockBytes, 0)
		part := block[:end-start]
		if _, err := f.ReadAt(part, start); err != nil {
			return 0, 0, err
		}
		for at := len(part); ; {
			if at = bytes.LastIndexByte(part[:at], '\n'); at < 0 {
				break
			}
			if found++; found > n {
				return start + int64(at) + 1, n, nil
			}
		}
		end = start
	}
	return 0, found, nil
}
