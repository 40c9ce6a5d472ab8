package fat

import "fmt"

const (
	// entryMask: the highest four bits of an entry are reserved and keep what they are (fatgen103, "FAT Data Structure").
	entryMask = 0x0fffffff
	// badCluster marks a cluster that must not be used; everything above ends a chain.
	badCluster = 0x0ffffff7
	// windowBytes is how much of a table is in memory at a time.
	windowBytes = 16 << 10
	// chainBytes is how much of it is while a chain is followed.
	chainBytes = 512
)

// tableReader reads entries of the first table through a window.
type tableReader struct {
	v      *Volume
	window []byte
	start  uint32 // first cluster in window
}

func (t *tableReader) next(cluster uint32) (uint32, error) {
	if i := int64(cluster) - int64(t.start); t.window == nil || i < 0 || i*4 >= int64(len(t.window)) {
		if t.window == nil {
			t.window = make([]byte, chainBytes)
		}
		t.start = cluster &^ (chainBytes/4 - 1)
		if err := readFull(t.v.device, t.window, t.v.tables[0]+int64(t.start)*4); err != nil {
			return 0, err
		}
	}
	return le.Uint32(t.window[(cluster-t.start)*4:]) & entryMask, nil
}

// eachEntry visits the entries of all clusters in the first table: free ones by runs, the others one by one.
func (v *Volume) eachEntry(visit func(run extent, value uint32)) error {
	window := make([]byte, windowBytes)
	for at, end := uint32(2), v.clusters+2; at < end; {
		part := window[:min(windowBytes, int64(end-at)*4)]
		if err := readFull(v.device, part, v.tables[0]+int64(at)*4); err != nil {
			return err
		}
		for len(part) > 0 {
			run, value := extent{at, 1}, le.Uint32(part)&entryMask
			for value == 0 && int(run.count)*4 < len(part) && le.Uint32(part[run.count*4:])&entryMask == 0 {
				run.count++
			}
			visit(run, value)
			part, at = part[run.count*4:], run.end()
		}
	}
	return nil
}

// setEntries writes the entries of a run of clusters in every table in use.
func (v *Volume) setEntries(run extent, value func(cluster uint32) uint32) error {
	for _, table := range v.tables {
		for at := run.first; at < run.end(); {
			count := min(run.end()-at, windowBytes/4)
			b := make([]byte, count*4)
			offset := table + int64(at)*4
			if err := readFull(v.device, b, offset); err != nil {
				return err
			}
			for i := range count {
				reserved := le.Uint32(b[i*4:]) &^ entryMask
				le.PutUint32(b[i*4:], reserved|value(at+i))
			}
			if _, err := v.device.WriteAt(b, offset); err != nil {
				return fmt.Errorf("cannot write allocation table: %w", err)
			}
			at += count
		}
	}
	return nil
}

// writeChain makes one chain of the runs.
func (v *Volume) writeChain(runs []extent) error {
	for i, run := range runs {
		after := uint32(endOfChain)
		if i+1 < len(runs) {
			after = runs[i+1].first
		}
		err := v.setEntries(run, func(cluster uint32) uint32 {
			if cluster+1 == run.end() {
				return after
			}
			return cluster + 1
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// freeChain marks the runs' clusters as free.
func (v *Volume) freeChain(runs []extent) error {
	for _, run := range runs {
		if err := v.setEntries(run, func(uint32) uint32 { return 0 }); err != nil {
			return err
		}
	}
	return nil
}
