package vm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/stele-os/stele/internal/sparse"
)

// prepareDisks returns the path of each disk to give to QEMU, copies made where asked for.
func prepareDisks(ctx context.Context, o Options) ([]string, error) {
	var paths []string
	for i, d := range o.Disks {
		if !isFile(d.Path) {
			return nil, fmt.Errorf("cannot use disk %q: %w", d.Path, os.ErrNotExist)
		}
		path := d.Path
		if d.Copy {
			path = o.inDir(fmt.Sprintf("disk%d.raw", i))
			if err := copyDisk(ctx, path, d.Path, d.SizeBytes); err != nil {
				return nil, err
			}
		}
		absolute, err := filepath.Abs(path)
		if err != nil {
			return nil, err
		}
		paths = append(paths, absolute)
	}
	return paths, nil
}

// prepareLogs makes an empty file for the writes of each disk that are to be logged, unless there is one.
func prepareLogs(o Options) (map[int]writeLog, error) {
	logs := map[int]writeLog{}
	for i, d := range o.Disks {
		if !d.LogWrites {
			continue
		}
		path := o.inDir(logName(i))
		info, err := os.Stat(path)
		if errors.Is(err, os.ErrNotExist) {
			err = os.WriteFile(path, nil, 0o600)
		}
		if err != nil {
			return nil, err
		}
		logs[i] = writeLog{path, info != nil && info.Size() > 0}
	}
	return logs, nil
}

func logName(i int) string { return diskID(i) + ".writes" }

// copyDisk makes a sparse copy of at least size bytes, unless one lies there from an earlier start.
func copyDisk(ctx context.Context, to, from string, size int64) error {
	if !isFile(to) {
		if err := sparse.Copy(ctx, to, from); err != nil {
			return err
		}
	}
	info, err := os.Stat(to)
	if err == nil && info.Size() < size {
		err = os.Truncate(to, size)
	}
	return err
}

// copyOnce copies the firmware's variables unless they lie there from an earlier start. Zeros become holes: arm64's flash is 64 MiB of them.
func copyOnce(to, from string) error {
	if isFile(to) {
		return nil
	}
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	err = f.Truncate(int64(len(content)))
	at := int64(0)
	for block := range slices.Chunk(content, 64<<10) {
		if err == nil && len(bytes.Trim(block, "\x00")) > 0 {
			_, err = f.WriteAt(block, at)
		}
		at += int64(len(block))
	}
	return errors.Join(err, f.Close())
}
