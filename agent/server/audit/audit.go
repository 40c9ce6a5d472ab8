// Package audit keeps who asked what of the machine, and what came of it: one JSON object a line, in files under one directory.
//
//	changes.log   calls that change something, from callers who may: one line before they act, on the disk when they do, and one after
//	other.log     everything else: calls that only read, refusals, handshakes that failed
//
// Each has older ones beside it (.1, .2, ...), and a bound. They are two because whoever can make a line in the second one, which needs no
// certificate, must not be able to push a line out of the first.
//
// Invariants:
//   - Lines are only ever added (O_APPEND), and what a power cut tore is closed with a newline before the next one (TestTornLine).
//   - A record that cannot be written is counted, and the next one that can be is preceded by that count (TestFullDiskIsCounted). It is for
//     the caller to tell the log; a changing call goes on nevertheless: a full /var is repaired through this API, or not at all.
//
// The kernel's audit system was considered: it knows processes and files, and here all of them are the agent's.
package audit

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"
)

// The two families of files.
const (
	Changes = "changes.log"
	Other   = "other.log"
)

// Record is one line.
type Record struct {
	Time time.Time `json:"time"`
	// Event is "begin" (of a call that changes something, or lasts), "end", "refused", "handshake" or "lost".
	Event string `json:"event"`
	// Call numbers the calls of one boot; begin and end share it.
	Call uint64 `json:"call,omitempty"`
	// Subject, Serial and Fingerprint are the caller's certificate's; Fingerprint is the SHA-256 of the whole of it.
	Subject     string `json:"subject,omitempty"`
	Serial      string `json:"serial,omitempty"`
	Fingerprint string `json:"fingerprint,omitempty"`
	Role        string `json:"role,omitempty"`
	Remote      string `json:"remote,omitempty"`
	Procedure   string `json:"procedure,omitempty"`
	// Request in words, without values that may be secret.
	Request string `json:"request,omitempty"`
	// Code is "ok" or Connect's word for the error.
	Code       string `json:"code,omitempty"`
	Error      string `json:"error,omitempty"`
	DurationMs int64  `json:"durationMs,omitempty"`
	Lost       int    `json:"lost,omitempty"`
}

// Options of Open.
type Options struct {
	Dir string
	// FileBytes and Files bound each family; 0: 1 MiB and 4.
	FileBytes int64
	Files     int
	Now       func() time.Time
}

// Log is the audit log. Safe for concurrent use.
type Log struct {
	options        Options
	changes, other family
}

// Open returns the log. Files are made with the first line.
func Open(o Options) *Log {
	if o.FileBytes == 0 {
		o.FileBytes = 1 << 20
	}
	if o.Files == 0 {
		o.Files = 4
	}
	return &Log{options: o, changes: family{path: filepath.Join(o.Dir, Changes)}, other: family{path: filepath.Join(o.Dir, Other)}}
}

// Append adds a record; with change to the family of changes, and to the disk.
func (l *Log) Append(r Record, change bool) error {
	if r.Time.IsZero() {
		r.Time = l.options.Now().UTC()
	}
	f := &l.other
	if change {
		f = &l.changes
	}
	if err := f.append(l.options, r, change); err != nil {
		return fmt.Errorf("cannot write the audit log: %w", err)
	}
	return nil
}

// Close closes the files; the next Append opens them again.
func (l *Log) Close() {
	for _, f := range []*family{&l.changes, &l.other} {
		f.mu.Lock()
		f.close()
		f.mu.Unlock()
	}
}

// family is a file and the older ones beside it.
type family struct {
	path string

	mu   sync.Mutex
	file *os.File
	size int64
	lost int
}

func (f *family) append(o Options, r Record, sync bool) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	err := f.write(o, r, sync)
	if err != nil {
		f.lost++
		f.close() // a torn line is closed when it is opened again
	}
	return err
}

func (f *family) write(o Options, r Record, sync bool) error {
	line, err := encode(r)
	if err != nil {
		return err
	}
	if f.lost > 0 {
		before, err := encode(Record{Time: r.Time, Event: "lost", Lost: f.lost})
		if err != nil {
			return err
		}
		line = append(before, line...)
	}
	if err := f.makeRoom(o, int64(len(line))); err != nil {
		return err
	}
	n, err := f.file.Write(line)
	f.size += int64(n)
	if err == nil && sync {
		err = f.file.Sync()
	}
	if err == nil {
		f.lost = 0
	}
	return err
}

func encode(r Record) ([]byte, error) {
	line, err := json.Marshal(r)
	return append(line, '\n'), err
}

// makeRoom opens the file, a new one where the line would make it too large.
func (f *family) makeRoom(o Options, add int64) error {
	if f.file == nil {
		if err := f.open(); err != nil {
			return err
		}
	}
	if f.size == 0 || f.size+add <= o.FileBytes {
		return nil
	}
	f.close()
	if err := rotate(f.path, o.Files); err != nil {
		return err
	}
	return f.open()
}

func (f *family) open() error {
	if err := os.MkdirAll(filepath.Dir(f.path), 0o700); err != nil {
		return err
	}
	file, err := os.OpenFile(f.path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	size, err := closeLine(file)
	if err != nil {
		file.Close()
		return err
	}
	f.file, f.size = file, size
	return nil
}

// closeLine adds the newline that a power cut or a full disk cut off, and returns the size.
func closeLine(file *os.File) (int64, error) {
	info, err := file.Stat()
	if err != nil || info.Size() == 0 {
		return 0, err
	}
	last := make([]byte, 1)
	if _, err := file.ReadAt(last, info.Size()-1); err != nil {
		return 0, err
	}
	if last[0] == '\n' {
		return info.Size(), nil
	}
	_, err = file.Write([]byte{'\n'})
	return info.Size() + 1, err
}

func (f *family) close() {
	if f.file != nil {
		_ = f.file.Close()
		f.file = nil
	}
}

// rotate renames from the oldest on, so that a cut in between loses at most the oldest file.
func rotate(path string, files int) error {
	for i := files - 1; i >= 1; i-- {
		from := path
		if i > 1 {
			from = path + "." + strconv.Itoa(i-1)
		}
		if err := os.Rename(from, path+"."+strconv.Itoa(i)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	if files == 1 {
		return os.Remove(path)
	}
	return nil
}
