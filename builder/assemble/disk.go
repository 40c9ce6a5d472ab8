package assemble

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/stele-os/stele/api/v1alpha1"
	"github.com/stele-os/stele/internal/atomicfile"
	"github.com/stele-os/stele/internal/fat"
	"github.com/stele-os/stele/internal/gpt"
)

// Disk is what a disk image is made of. Paths are files of the build host.
type Disk struct {
	Info                 v1alpha1.ImageInfo
	Sizes                Sizes
	Verity               Verity
	RootPath, VerityPath string
	UKI, Loader          string
	// VarTemplate is an ext4 file system, not compressed; empty: the partition stays empty.
	VarTemplate string
	// ESPFiles lie on the ESP beside loader and UKI, which is signed already.
	ESPFiles   []fat.File
	SecureBoot *SecureBoot
}

// WriteDisk writes a sparse disk image: slot a holds the image, slot b is empty.
func WriteDisk(ctx context.Context, path string, d Disk) (*gpt.Table, error) {
	table, err := planTable(d.Info, d.Sizes, d.Verity)
	if err != nil {
		return nil, err
	}
	files, err := espFiles(d)
	if err != nil {
		return nil, err
	}
	contents := []struct{ partition, source string }{
		{PartitionRootA, d.RootPath}, {PartitionRootAVerity, d.VerityPath}, {PartitionVar, d.VarTemplate},
	}
	var need int64
	for _, f := range files {
		need += f.Size
	}
	for _, c := range contents {
		size, err := checkFits(table, c.partition, c.source)
		if err != nil {
			return nil, err
		}
		need += size
	}
	err = atomicfile.Write(path, need, func(f *os.File) error {
		if err := f.Truncate(int64(table.Sectors) * table.SectorSize); err != nil {
			return err
		}
		esp := table.ByName(PartitionESP)
		w := io.NewOffsetWriter(f, table.StartBytes(*esp))
		if err := writeESP(w, table.SizeBytes(*esp), esp.FirstLBA, d.Info, esp.GUID.UUID(), files); err != nil {
			return err
		}
		for _, c := range contents {
			if err := copySparse(ctx, f, table.StartBytes(*table.ByName(c.partition)), c.source); err != nil {
				return err
			}
		}
		return table.Write(f, func() error { return nil }) // synced once, as a whole file
	})
	return table, err
}

// checkFits returns the size of a partition's content, and refuses one that is larger than the partition.
func checkFits(table *gpt.Table, partition, source string) (int64, error) {
	if source == "" {
		return 0, nil
	}
	info, err := os.Stat(source)
	if err != nil {
		return 0, fmt.Errorf("cannot fill partition %q: %w", partition, err)
	}
	if room := table.SizeBytes(*table.ByName(partition)); info.Size() > room {
		return 0, &sizeError{partition: partition, source: source, need: info.Size(), room: room}
	}
	return info.Size(), nil
}

// sizeError means that a partition is too small for its content.
type sizeError struct {
	partition, source string
	need, room        int64
}

func (e *sizeError) Error() string {
	return fmt.Sprintf("cannot fill partition %q: %q has %d bytes, the partition %d", e.partition, e.source, e.need, e.room)
}

// Hint is the next step for a person.
func (e *sizeError) Hint() string { return "raise the partition's size in the image definition" }

// copyChunk is the unit in which zeroes are left out.
const copyChunk = 64 << 10

var zeroes [copyChunk]byte

// copySparse copies a file to an offset of a fresh file, leaving out what is zero.
func copySparse(ctx context.Context, w io.WriterAt, offset int64, source string) error {
	if source == "" {
		return nil
	}
	r, err := os.Open(source)
	if err != nil {
		return fmt.Errorf("cannot copy %q: %w", source, err)
	}
	defer r.Close()
	buffer := make([]byte, copyChunk)
	for ctx.Err() == nil {
		n, err := io.ReadFull(r, buffer)
		if n > 0 && !bytes.Equal(buffer[:n], zeroes[:n]) {
			if _, err := w.WriteAt(buffer[:n], offset); err != nil {
				return fmt.Errorf("cannot copy %q: %w", source, err)
			}
		}
		offset += int64(n)
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("cannot copy %q: %w", source, err)
		}
	}
	return ctx.Err()
}
