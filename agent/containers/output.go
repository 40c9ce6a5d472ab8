package containers

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// maxOutputBytes is what is kept of a command's output; the rest is read and dropped, so that the command never waits for a reader.
const maxOutputBytes = 4096

// capture reads what a command writes into a FIFO.
type capture struct {
	path  string
	fifo  *os.File
	ended sync.WaitGroup
	kept  []byte
}

// openCapture makes a FIFO, whose path is given to the command's shim for standard output and error.
func openCapture(path string) (*capture, error) {
	fifo, err := openFIFO(path)
	if err != nil {
		return nil, err
	}
	c := &capture{path: path, fifo: fifo}
	c.ended.Go(c.read)
	return c, nil
}

func (c *capture) read() {
	buffer := make([]byte, maxOutputBytes)
	for {
		n, err := c.fifo.Read(buffer)
		c.kept = append(c.kept, buffer[:min(n, maxOutputBytes-len(c.kept))]...)
		if err != nil && !errors.Is(err, io.EOF) {
			return
		}
	}
}

// finish reads what is left once the writers are gone, and returns all that was kept.
func (c *capture) finish() []byte {
	_ = c.fifo.SetReadDeadline(time.Now().Add(drainTime))
	c.ended.Wait()
	_ = c.fifo.Close()
	_ = os.Remove(c.path)
	return c.kept
}

// outputPath is the FIFO of one command; names of containers begin with no dot.
func (o Options) outputPath(container, id string) string {
	return filepath.Join(o.RunDir, ".exec", container+"-"+id)
}
