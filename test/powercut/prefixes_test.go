//go:build qemu

package powercut

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stele-os/stele/internal/block"
	"github.com/stele-os/stele/internal/dmlog"
)

// slotEvery: of so many writes to a slot, one is a moment for the model. Behind each flush it is asked anyway.
const slotEvery = 16

// prefixes asks the model after every operation on ESP and partition table, every flush and some of the writes to the slots. What lies in /var does not
// matter to what boots.
func (l *lab) prefixes(t *testing.T, s scenario, base string, log *dmlog.Log, classes []string) {
	t.Helper()
	disk := inMemory(t, base)
	began, asked, booted := time.Now(), 0, map[string]int{}
	dirty := false
	for i, e := range log.Entries {
		class := classes[i]
		if err := apply(disk, log, e, class); err != nil {
			t.Fatal(err)
		}
		dirty = dirty || class != classVar && e.Bytes > 0
		if class == classVar || class == "" || !dirty || class == classSlot && e.Flags&dmlog.Flush == 0 && i%slotEvery != 0 {
			continue
		}
		r := l.model.Boot(disk)
		asked, dirty = asked+1, false
		booted[r.Version+" "+r.Entry]++
		if r.Err != nil || len(r.Failed) > 0 || !s.mayBoot(r.Version) || r.RootHash != l.versions[r.Version].Manifest.RootHash {
			t.Errorf("after operation %d (%s): %s", i, class, r)
		}
	}
	var rows []string
	for _, entry := range slices.Sorted(maps.Keys(booted)) {
		rows = append(rows, fmt.Sprintf("%s: %d", entry, booted[entry]))
	}
	t.Logf("%d moments modelled in %.1f s: %s", asked, time.Since(began).Seconds(), strings.Join(rows, ", "))
}

// apply does an operation on a disk in memory. /var is left out.
func apply(disk *block.Memory, log *dmlog.Log, e dmlog.Entry, class string) error {
	if class == classVar || e.Bytes == 0 {
		return nil
	}
	data := make([]byte, e.Bytes)
	if e.Flags&dmlog.Discard == 0 {
		var err error
		if data, err = log.Data(e); err != nil {
			return err
		}
	}
	_, err := disk.WriteAt(data, e.Offset)
	return err
}
