package system

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// PstoreRoot is where the kernel shows what it kept of crashes (Documentation/ABI/testing/pstore).
const PstoreRoot = "/sys/fs/pstore"

const (
	// crashPrefix begins the name of a part that holds the kernel's log (fs/pstore/inode.c, pstore_mkfile): dmesg-<backend>-<id>.
	crashPrefix = "dmesg-"
	// maxCrashParts and maxCrashPartBytes bound what is read. A crash has about 11 parts of 1 KiB (CONFIG_PSTORE_DEFAULT_KMSG_BYTES); 20 crashes
	// fill the 256 KiB of OVMF's variables, and those that follow are lost.
	maxCrashParts     = 512
	maxCrashPartBytes = 16 << 10
	maxCrashBytes     = 64 << 10
)

// Crash is what the kernel kept of its log when it died.
type Crash struct {
	Time time.Time // by the kernel's clock then, in seconds
	// Text is the end of the log, its last line the newest.
	Text string
}

// crashPart is one file: part 1 is the newest text of the crash.
type crashPart struct {
	seconds     int64
	part, count int
	text        string
}

// ReadCrashes reads the crashes below root (PstoreRoot), the newest first. An oops that became a panic is one crash. Parts that the kernel could not
// decompress (".enc.z") hold nothing to read and are left out.
func ReadCrashes(root string) ([]Crash, error) {
	entries, err := os.ReadDir(root)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read crashes: %w", err)
	}
	var parts []crashPart
	// Sorted by name, and by that, as long as seconds have ten digits, by time: the newest are read.
	for _, entry := range entries[max(0, len(entries)-maxCrashParts):] {
		part, ok := decodeCrashName(entry.Name())
		if !ok {
			continue
		}
		if part.text, err = readCrashPart(filepath.Join(root, entry.Name())); err == nil {
			parts = append(parts, part)
		}
	}
	return joinCrashes(parts), nil
}

// decodeCrashName takes efi_pstore's id apart: (seconds*100 + part)*1000 + count (drivers/firmware/efi/efi-pstore.c, generic_id).
func decodeCrashName(name string) (crashPart, bool) {
	rest, ok := strings.CutPrefix(name, crashPrefix)
	_, digits, dashed := strings.Cut(rest, "-")
	id, err := strconv.ParseInt(digits, 10, 64) // another suffix than digits: compressed
	if !ok || !dashed || err != nil || id < 0 {
		return crashPart{}, false
	}
	return crashPart{seconds: id / 100_000, part: int(id / 1000 % 100), count: int(id % 1000)}, true
}

func readCrashPart(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, maxCrashPartBytes))
	return string(content), err
}

// ClearCrashes deletes what ReadCrashes has read, so that the firmware's memory does not fill up. Success proves nothing: OVMF on a read-only flash
// accepts the deletion and shows the crash again at the next boot, so whoever tells of crashes must know which ones it has told.
func ClearCrashes(root string) error {
	entries, err := os.ReadDir(root)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("cannot delete crashes: %w", err)
	}
	var failures []error
	for _, entry := range entries {
		if !strings.HasPrefix(entry.Name(), crashPrefix) {
			continue
		}
		if err := os.Remove(filepath.Join(root, entry.Name())); err != nil {
			failures = append(failures, fmt.Errorf("cannot delete crash: %w", err))
		}
	}
	return errors.Join(failures...)
}
