package powercut

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/stele-os/stele/internal/dmlog"
	"github.com/stele-os/stele/internal/gpt"
)

// Classes of operations. Data of a boot entry is many writes, what makes it one is few: so the ESP has two classes, told apart by length.
const (
	classGPT     = "gpt"
	classESP     = "esp"
	classESPData = "esp-data"
	classSlot    = "slot"
	classVar     = "var"
)

// decidingBytes: a write of tables, directories and names is not longer.
const decidingBytes = 4096

// backupBytes is a header and 128 entries of 128 bytes at the end of the disk (UEFI 2.10 §5.3.2), in sectors of 512 bytes.
const backupBytes = 33 * 512

// areas says which partition a place of a disk belongs to.
type areas []area

type area struct {
	class      string
	start, end int64
}

// areasOf reads a table of a disk of so many bytes. The last partition takes what a larger disk has to give; what no partition covers is the table's own.
func areasOf(t *gpt.Table, sizeBytes int64) (list areas) {
	for _, p := range t.Partitions {
		class := p.Name
		for _, slot := range []string{"root-", "verity-"} {
			if strings.HasPrefix(p.Name, slot) {
				class = classSlot
			}
		}
		list = append(list, area{class, t.StartBytes(p), t.StartBytes(p) + t.SizeBytes(p)})
	}
	if n := len(list); n > 0 {
		list[n-1].end = max(list[n-1].end, sizeBytes-backupBytes)
	}
	return list
}

// of is the class of an operation. One that reaches over the end of a partition, as the page before the backup table does, is the table's.
func (a areas) of(e dmlog.Entry) string {
	for _, p := range a {
		if e.Offset < p.start || e.Offset+e.Bytes > p.end {
			continue
		}
		if p.class == classESP && e.Bytes > decidingBytes {
			return classESPData
		}
		return p.class
	}
	return classGPT
}

// tally counts the operations of a class.
type tally struct {
	class                     string
	writes, flushes, discards int
	bytes                     int64
}

// tallies counts a log's operations by class.
func tallies(log *dmlog.Log, classes []string) []tally {
	by := map[string]*tally{}
	for i, e := range log.Entries {
		class := classes[i]
		if class == "" {
			continue
		}
		c := by[class]
		if c == nil {
			c = &tally{class: class}
			by[class] = c
		}
		switch {
		case e.Flags&dmlog.Discard != 0:
			c.discards++
		case e.Bytes > 0:
			c.writes++
			c.bytes += e.Bytes
		}
		if e.Flags&dmlog.Flush != 0 {
			c.flushes++
		}
	}
	var list []tally
	for _, c := range by {
		list = append(list, *c)
	}
	slices.SortFunc(list, func(a, b tally) int { return cmp.Compare(a.class, b.class) })
	return list
}

func (c tally) String() string {
	return fmt.Sprintf("%s: %d writes (%.1f MiB), %d flushes, %d discards", c.class, c.writes, float64(c.bytes)/(1<<20), c.flushes, c.discards)
}
