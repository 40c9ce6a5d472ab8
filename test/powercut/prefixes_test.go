//go:build qemu

package powercut

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stele-os/stele/internal/block"
	"github.com/stele-os/stele/internal/bootmodel"
	"github.com/stele-os/stele/internal/dmlog"
	"github.com/stele-os/stele/internal/powercut"
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
		if err := l.wrong(s, r); err != nil {
			t.Errorf("after operation %d (%s): %v", i, class, err)
		}
	}
	var rows []string
	for _, entry := range slices.Sorted(maps.Keys(booted)) {
		rows = append(rows, fmt.Sprintf("%s: %d", entry, booted[entry]))
	}
	t.Logf("%d moments modelled in %.1f s: %s", asked, time.Since(began).Seconds(), strings.Join(rows, ", "))
}

// orders asks the model for other orders of the operations on ESP and partition table between two flushes, parts of them and torn sectors (internal/powercut). The slots'
// data is there from the start: until the table names it, nothing reads it.
func (l *lab) orders(t *testing.T, s scenario, base string, log *dmlog.Log, classes []string) {
	t.Helper()
	disk := inMemory(t, base)
	var list powercut.Log
	for i, e := range log.Entries {
		if classes[i] == classSlot {
			if err := apply(disk, log, e, classSlot); err != nil {
				t.Fatal(err)
			}
		}
		if e.Flags&dmlog.Flush != 0 && len(list) > 0 && !list[len(list)-1].Flush() {
			list = append(list, powercut.Op{Step: "flush"})
		}
		if classes[i] != classSlot && classes[i] != classVar && e.Bytes > 0 && e.Flags&dmlog.Discard == 0 {
			data, err := log.Data(e)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, powercut.Op{Offset: e.Offset, Data: data, Step: classes[i]})
		}
	}
	began, booted := time.Now(), map[string]int{}
	stats, err := powercut.Explore(disk, list, powercut.Options{Seed: *seed, Torn: true, AllSubsets: 4, MaxReorderings: 8, MaxSectors: 4}, func(state powercut.State) error {
		r := l.model.Boot(state.Disk)
		booted[r.Version]++
		return l.wrong(s, r)
	})
	if err != nil {
		t.Error(err)
	}
	t.Logf("%s, modelled in %.0f s: %v", stats, time.Since(began).Seconds(), booted)
}

// wrong says why what the model says may not be.
func (l *lab) wrong(s scenario, r bootmodel.Result) error {
	if r.Err != nil || len(r.Failed) > 0 || !s.mayBoot(r.Version) || r.RootHash != l.versions[r.Version].Manifest.RootHash {
		return errors.New(r.String())
	}
	return nil
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
