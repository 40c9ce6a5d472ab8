package story

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/stele-os/stele/agent/state"
)

// suffix of a record's file name; before it stands its number, twenty digits.
const suffix = ".boot"

// readAll reads the newest records below dir, oldest first, and counts those that cannot be read.
func readAll(dir string) (entries []entry, torn int, err error) {
	listed, err := os.ReadDir(dir) // sorted by name, and by that by number
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, 0, fmt.Errorf("cannot read boot stories: %w", err)
	}
	for _, l := range listed {
		digits, ok := strings.CutSuffix(l.Name(), suffix)
		number, err := strconv.ParseUint(digits, 10, 63)
		if !ok || err != nil || len(digits) != 20 {
			continue
		}
		e := entry{number: number}
		if e.story, ok = readRecord(filepath.Join(dir, l.Name())); !ok {
			torn++
			continue
		}
		entries = append(entries, e)
	}
	return entries[max(0, len(entries)-maxBoots):], torn, nil
}

// readRecord returns the story of a file. One that is longer than a record can be is damaged.
func readRecord(path string) (state.BootStory, bool) {
	f, err := os.Open(path)
	if err != nil {
		return state.BootStory{}, false
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxRecordBytes+1))
	if err != nil || len(data) > maxRecordBytes {
		return state.BootStory{}, false
	}
	return decodeRecord(data)
}

func (b *Book) path(number uint64) string {
	return filepath.Join(b.dir, fmt.Sprintf("%020d%s", number, suffix))
}

// add appends a story under the next number and removes what is too old. Numbers of files that cannot be read are not used again.
func (b *Book) add(s state.BootStory) error {
	e := entry{number: b.nextNumber(), story: bounded(s)}
	b.entries = append(b.entries, e)
	b.prune(maxBoots)
	return b.write(&b.entries[len(b.entries)-1], true)
}

func (b *Book) nextNumber() uint64 {
	var highest uint64
	listed, _ := os.ReadDir(b.dir)
	for _, l := range listed {
		if number, err := strconv.ParseUint(strings.TrimSuffix(l.Name(), suffix), 10, 63); err == nil {
			highest = max(highest, number)
		}
	}
	for _, e := range b.entries {
		highest = max(highest, e.number)
	}
	return highest + 1
}

// prune keeps the newest entries, and of the directory only their files.
func (b *Book) prune(keep int) {
	b.entries = b.entries[max(0, len(b.entries)-keep):]
	wanted := map[string]bool{}
	for _, e := range b.entries {
		wanted[filepath.Base(b.path(e.number))] = true
	}
	listed, _ := os.ReadDir(b.dir)
	for _, l := range listed {
		if !wanted[l.Name()] {
			_ = os.Remove(filepath.Join(b.dir, l.Name())) // what cannot be removed is tried again at the next boot
		}
	}
}

// write brings an entry to the disk. On a full one older boots make room, one after the other, until few are left.
func (b *Book) write(e *entry, durable bool) error {
	for {
		err := b.append(e, durable)
		if err == nil {
			e.written = true
			return nil
		}
		e.written = false
		full := errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT)
		if !full || len(b.entries) <= fewBoots {
			return fmt.Errorf("cannot keep the story of boot %q: %w", e.story.ID, err)
		}
		b.prune(len(b.entries) - 1)
	}
}

// append writes one line behind those of the file, or the file anew where it has no room for one more or is not whole.
func (b *Book) append(e *entry, durable bool) error {
	line := encodeLine(e.story)
	if !e.written || e.size+len(line) > maxRecordBytes {
		return b.replace(e, line)
	}
	f, err := os.OpenFile(b.path(e.number), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return b.replace(e, line)
	}
	defer f.Close()
	n, err := f.Write(line)
	e.size += n
	if err == nil && durable {
		err = f.Sync()
	}
	return err
}

// replace writes a file with one line.
func (b *Book) replace(e *entry, line []byte) error {
	if err := b.keep(b.path(e.number), line); err != nil {
		return err
	}
	e.size = len(line)
	return nil
}
