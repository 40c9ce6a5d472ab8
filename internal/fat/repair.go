package fat

import (
	"bytes"
	"errors"
	"fmt"
)

// Repair finishes what a power cut left, and says what it did: in dir it drops the older of two names of one file and the parts of
// long names that belong to no file; on the whole volume it frees clusters that no entry leads to, makes the tables equal, and
// counts free space. It also arranges dir for the next renames of firmware (arrange). It is as safe against power cuts as the other calls, and does nothing where nothing is wrong.
//
// It does not mend what no power cut during our own changes leaves: files that share clusters, chains that lead out of the volume. The
// error names them; what can be done beside them is done.
func (v *Volume) Repair(dir string) (done []string, err error) {
	d, err := v.openDirectory(dir)
	if err != nil {
		return nil, fmt.Errorf("cannot repair FAT volume: %w", err)
	}
	for _, step := range []func(*directory) ([]string, error){v.dropSecondNames, v.dropOrphans, v.arrangeAgain, v.repairTree, v.equalTables} {
		said, stepErr := step(d)
		done, err = append(done, said...), errors.Join(err, stepErr)
	}
	if err != nil {
		err = fmt.Errorf("cannot repair FAT volume: %w", err)
	}
	return done, err
}

// dropSecondNames looks for entries that begin in the same cluster. Rename took the archive attribute from the old one.
func (v *Volume) dropSecondNames(d *directory) (done []string, err error) {
	byCluster := map[uint32]record{}
	for _, r := range scan(d.raw).records {
		first, seen := byCluster[r.first]
		if r.first == 0 || r.dir() || !seen {
			byCluster[r.first] = r
			continue
		}
		if first.dir() || first.size != r.size {
			err = errors.Join(err, fmt.Errorf("%q and %q begin in one cluster and are not one file", first.name, r.name))
			continue
		}
		keep, drop := first, r
		if keep.attributes&attributeArchive == 0 && drop.attributes&attributeArchive != 0 {
			keep, drop = drop, keep
		}
		if e := v.hide(d, drop); e != nil {
			return done, e
		}
		byCluster[r.first] = keep
		done = append(done, fmt.Sprintf("dropped %q, an older name of %q", drop.name, keep.name))
		d.raw[drop.at*entryBytes] = slotFree
	}
	return done, err
}

// dropOrphans clears the parts of long names that belong to no entry.
func (v *Volume) dropOrphans(d *directory) ([]string, error) {
	orphans := scan(d.raw).orphans
	if len(orphans) == 0 {
		return nil, nil
	}
	if err := errors.Join(v.dropParts(d, orphans), v.flush()); err != nil {
		return nil, err
	}
	return []string{fmt.Sprintf("cleared %d parts of long names in %q", len(orphans), d.path)}, nil
}

// arrangeAgain says nothing: that firmware has put entries at the end is no damage.
func (v *Volume) arrangeAgain(d *directory) ([]string, error) { return nil, v.arrange(d) }

// equalTables makes the other tables equal to the first one, which is the one that is read.
func (v *Volume) equalTables(*directory) (done []string, err error) {
	want, got := make([]byte, windowBytes), make([]byte, windowBytes)
	for i, table := range v.tables[1:] {
		changed := 0
		for at := int64(0); at < v.tableBytes; at += windowBytes {
			length := min(windowBytes, v.tableBytes-at)
			if err := errors.Join(readFull(v.device, want[:length], v.tables[0]+at), readFull(v.device, got[:length], table+at)); err != nil {
				return done, err
			}
			if bytes.Equal(want[:length], got[:length]) {
				continue
			}
			for s := int64(0); s < length; s += v.sectorBytes {
				sector := want[s:min(s+v.sectorBytes, length)]
				if bytes.Equal(sector, got[s:][:len(sector)]) {
					continue
				}
				changed++
				if err := v.write(sector, table+at+s, "allocation table"); err != nil {
					return done, err
				}
			}
		}
		if changed > 0 {
			done = append(done, fmt.Sprintf("made %d sectors of table %d equal to the first table", changed, i+2))
		}
	}
	if len(done) == 0 {
		return nil, nil
	}
	return done, v.flush()
}
