package containers

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// logBounds bound what is kept of one container's output; zero values are the document's defaults.
type logBounds struct {
	sizeBytes int64
	files     int
}

func boundsOf(s specification) logBounds {
	return logBounds{sizeBytes: s.Container.Logs.MaxSizeBytes, files: s.Container.Logs.MaxFiles}
}

// loggers own the goroutines that read the output of containers.
type loggers struct {
	options Options
	mu      sync.Mutex
	readers map[string]*logger
}

// logger reads the two FIFOs of one container into one file.
type logger struct {
	fifos []*os.File
	ended sync.WaitGroup
	file  *logFile
}

func newLoggers(o Options) *loggers {
	return &loggers{options: o, readers: map[string]*logger{}}
}

// paths of a container's FIFOs.
func (l *loggers) paths(name string) (stdout, stderr string) {
	dir := filepath.Join(l.options.RunDir, name)
	return filepath.Join(dir, "stdout"), filepath.Join(dir, "stderr")
}

// open makes the FIFOs where they are missing and begins to read them. It does nothing when they are read already.
func (l *loggers) open(name string, bounds logBounds) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.readers[name] != nil {
		return nil
	}
	if err := os.MkdirAll(l.options.LogDir, 0o750); err != nil {
		return fmt.Errorf("cannot make the directory for logs: %w", err)
	}
	file, err := openLogFile(filepath.Join(l.options.LogDir, name+".log"), bounds)
	if err != nil {
		return err
	}
	lg := &logger{file: file}
	stdout, stderr := l.paths(name)
	for stream, path := range map[string]string{"stdout": stdout, "stderr": stderr} {
		f, err := openFIFO(path)
		if err != nil {
			lg.finish()
			return fmt.Errorf("cannot read the output of container %q: %w", name, err)
		}
		lg.fifos = append(lg.fifos, f)
		lg.ended.Go(func() { copyLines(file, stream, f, time.Now) })
	}
	l.readers[name] = lg
	return nil
}

// finish reads what the ended container has left in its FIFOs and closes them.
func (l *loggers) finish(name string) {
	l.mu.Lock()
	lg := l.readers[name]
	delete(l.readers, name)
	l.mu.Unlock()
	if lg != nil {
		lg.finish()
	}
	stdout, _ := l.paths(name)
	_ = os.RemoveAll(filepath.Dir(stdout))
}

func (l *loggers) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, lg := range l.readers {
		lg.finish()
	}
	clear(l.readers)
}

// drainTime is how long an empty FIFO is waited for at the end: its writers are gone, so what there is can be read at once.
const drainTime = 20 * time.Millisecond

func (lg *logger) finish() {
	for _, f := range lg.fifos {
		_ = f.SetReadDeadline(time.Now().Add(drainTime))
	}
	lg.ended.Wait()
	for _, f := range lg.fifos {
		_ = f.Close()
	}
	_ = lg.file.close()
}

// openFIFO opens for reading and writing (fifo(7): Linux allows it), so that the read side never sees an end while writers come and go.
func openFIFO(path string) (*os.File, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	if err := unix.Mkfifo(path, 0o600); err != nil && !errors.Is(err, unix.EEXIST) {
		return nil, &os.PathError{Op: "mkfifo", Path: path, Err: err}
	}
	return os.OpenFile(path, os.O_RDWR|unix.O_NONBLOCK, 0)
}
