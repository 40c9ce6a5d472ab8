package config

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/stele-os/stele/agent/metadata"
)

// LastGoodPath is the directory of the last good document on /var.
const LastGoodPath = "/var/lib/stele/document"

// lastGood keeps the last good document in a directory. A document may hold secrets: only root reads it.
type lastGood struct{ dir string }

func (l lastGood) path() string { return filepath.Join(l.dir, "last-good") }

// load returns the kept document. An error that is fs.ErrNotExist means that there is none.
func (l lastGood) load() (metadata.Result, error) {
	f, err := os.Open(l.path())
	if err != nil {
		return metadata.Result{}, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, 2*metadata.MaxDocumentBytes))
	if err != nil {
		return metadata.Result{}, err
	}
	result, err := decodeRecord(data)
	if err != nil {
		return metadata.Result{}, fmt.Errorf("cannot read %q: %w", l.path(), err)
	}
	return result, nil
}

// save keeps a document: after a power cut at any moment the old or the new one is there, whole. One that is already kept is not
// written again.
func (l lastGood) save(r metadata.Result) error {
	record := encodeRecord(r)
	if kept, err := os.ReadFile(l.path()); err == nil && bytes.Equal(kept, record) {
		return nil
	}
	if err := os.MkdirAll(l.dir, 0o700); err != nil {
		return fmt.Errorf("cannot keep the document: %w", err)
	}
	if err := l.write(record); err != nil {
		return fmt.Errorf("cannot keep the document: %w", err)
	}
	return nil
}

func (l lastGood) write(record []byte) error {
	next := l.path() + ".new"
	f, err := os.OpenFile(next, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.Write(record); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := os.Rename(next, l.path()); err != nil {
		return err
	}
	if err := syncDirectory(l.dir); err != nil {
		return err
	}
	return syncDirectory(filepath.Dir(l.dir)) // which may be as new
}

func syncDirectory(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
