package update

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/stele-os/stele/agent/state"
	"github.com/stele-os/stele/internal/atomicfile"
)

// pending is a request for another version that has been made and has not come to its end.
type pending struct {
	// Schema is 1; a record of another one is none.
	Schema int `json:"schema"`
	// Rollback, else apply.
	Rollback     bool      `json:"rollback,omitempty"`
	Version      string    `json:"version"`
	RootHash     string    `json:"rootHash"`
	Slot         string    `json:"slot"`
	From         string    `json:"from"`
	FromRootHash string    `json:"fromRootHash"`
	BootID       string    `json:"bootID"`
	AskedBy      string    `json:"askedBy,omitempty"`
	Reason       string    `json:"reason,omitempty"`
	Time         time.Time `json:"time"`
	// RequireConfirmation beside the document's.
	RequireConfirmation bool `json:"requireConfirmation,omitempty"`
	// Probation and Deadline of the document that was in force when it was asked for: they count until the new version has one.
	Probation time.Duration `json:"probation"`
	Deadline  time.Duration `json:"deadline"`
	// LastResorts counts the restarts of a manager that could not judge the version.
	LastResorts int `json:"lastResorts,omitempty"`
}

const (
	schema         = 1
	maxRecordBytes = 256 << 10
	// maxRejections are kept, the newest first.
	maxRejections = 32
	// maxTextBytes of a text from outside.
	maxTextBytes = 512
)

// records are the manager's own files: each is replaced as a whole.
type records struct {
	dir string

	pending    *pending
	rejections []state.Rejection
}

func (r *records) pendingPath() string  { return filepath.Join(r.dir, "pending.json") }
func (r *records) rejectedPath() string { return filepath.Join(r.dir, "rejections.json") }
func (r *records) forget() (err error)  { r.pending = nil; return atomicfile.Drop(r.pendingPath()) }
func (r *records) request(p pending) error {
	p.Schema = schema
	r.pending = &p
	return keep(r.pendingPath(), p)
}

// load reads what is there. A file that cannot be read counts as none, and is an error.
func (r *records) load() error {
	r.pending, r.rejections = nil, nil
	var p pending
	found, err := readRecord(r.pendingPath(), &p)
	if found && p.Schema == schema {
		r.pending = &p
	}
	var kept []state.Rejection
	_, otherErr := readRecord(r.rejectedPath(), &kept)
	r.rejections = kept[:min(len(kept), maxRejections)]
	return errors.Join(err, otherErr)
}

// reject notes a rejection; one version is noted once, with the first reason.
func (r *records) reject(x state.Rejection) (noted bool, err error) {
	if r.rejected(x.RootHash) {
		return false, nil
	}
	x.Reason = bounded(x.Reason)
	list := append([]state.Rejection{x}, r.rejections...)
	r.rejections = list[:min(len(list), maxRejections)]
	return true, keep(r.rejectedPath(), r.rejections)
}

func (r *records) rejected(rootHash string) bool {
	return slices.ContainsFunc(r.rejections, func(x state.Rejection) bool { return x.RootHash == rootHash })
}

// accept forgets a rejection.
func (r *records) accept(rootHash string) error {
	if !r.rejected(rootHash) {
		return nil
	}
	r.rejections = slices.DeleteFunc(slices.Clone(r.rejections), func(x state.Rejection) bool { return x.RootHash == rootHash })
	return keep(r.rejectedPath(), r.rejections)
}

func keep(path string, record any) error {
	content, err := json.Marshal(record)
	if err != nil {
		return fmt.Errorf("cannot keep %q: %w", path, err)
	}
	return atomicfile.Keep(path, content)
}

func readRecord(path string, into any) (found bool, err error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("cannot read record: %w", err)
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, maxRecordBytes))
	if err == nil {
		err = json.Unmarshal(content, into)
	}
	if err != nil {
		return false, fmt.Errorf("cannot read record %q: %w", path, err)
	}
	return true, nil
}

// bounded cuts a text from outside.
func bounded(text string) string {
	if len(text) <= maxTextBytes {
		return text
	}
	return strings.ToValidUTF8(text[:maxTextBytes-3], "") + "..."
}
