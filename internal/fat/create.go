package fat

import (
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
)

// copyBytes is how much of a file is in memory at a time.
const copyBytes = 256 << 10

// Create writes a file of size bytes from r. Its directory must be there, the file must not (fs.ErrExist). After a power cut the file is there
// with all of its content, or not there; the clusters it took may be lost until Repair.
func (v *Volume) Create(name string, size int64, r io.Reader) error {
	if err := v.create(name, size, r); err != nil {
		return fmt.Errorf("cannot create %q: %w", name, err)
	}
	return nil
}

func (v *Volume) create(name string, size int64, r io.Reader) error {
	if size < 0 || size > maxFileBytes {
		return fmt.Errorf("FAT holds no file of %d bytes", size)
	}
	parent, base := path.Split(name)
	d, err := v.openDirectory(strings.Trim(parent, "/"))
	if err != nil {
		return err
	}
	count := uint32((size + v.clusterBytes - 1) / v.clusterBytes)
	if _, _, err := v.findFree(count); err != nil {
		return err
	}
	entry := encodeEntry([11]byte{}, attributeArchive, 0, uint32(size), v.now())
	place, _, err := v.place(d, base, entry)
	if err != nil {
		return err
	}
	runs, free, err := v.findFree(count) // again: the directory may have grown
	if err != nil {
		return err
	}
	if err := v.fill(runs, size, r); err != nil {
		return err
	}
	if count > 0 {
		if err := errors.Join(v.writeChain(runs), v.writeFreeCount(free-count, runs[len(runs)-1].end()-1)); err != nil {
			return err
		}
		setFirstCluster(place.slots[len(place.slots)-1], runs[0].first)
	}
	if err := place.bodies(); err != nil {
		return err
	}
	if err := v.flush(); err != nil {
		return err
	}
	return place.commit()
}

// fill writes size bytes of r, and no more, to clusters that nobody refers to yet.
func (v *Volume) fill(runs []extent, size int64, r io.Reader) error {
	buffer := make([]byte, min(copyBytes, size+1))
	left := size
	for _, run := range runs {
		for at, end := v.clusterOffset(run.first), v.clusterOffset(run.end()); at < end && left > 0; {
			part := buffer[:min(int64(len(buffer)), end-at, left)]
			if _, err := io.ReadFull(r, part); err != nil {
				return fmt.Errorf("cannot read its content: %w", err)
			}
			if err := v.write(part, at, "content"); err != nil {
				return err
			}
			at, left = at+int64(len(part)), left-int64(len(part))
		}
	}
	switch _, err := io.ReadFull(r, buffer[:1]); {
	case err == nil:
		return fmt.Errorf("its content is longer than %d bytes", size)
	case !errors.Is(err, io.EOF):
		return fmt.Errorf("cannot read its content: %w", err)
	}
	return nil
}

func setFirstCluster(entry []byte, cluster uint32) {
	le.PutUint16(entry[20:], uint16(cluster>>16))
	le.PutUint16(entry[26:], uint16(cluster))
}
