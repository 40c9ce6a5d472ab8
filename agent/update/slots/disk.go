package slots

import (
	"fmt"
	"io"
	"time"

	"github.com/stele-os/stele/internal/block"
	"github.com/stele-os/stele/internal/fat"
	"github.com/stele-os/stele/internal/gpt"
	"github.com/stele-os/stele/internal/verity"
)

// Options of Open.
type Options struct {
	// Device is the whole boot disk. No other device is ever touched: a clone beside it stays as it is.
	Device block.Device
	// RunningRootHash is the root hash of the running system, hex.
	RunningRootHash string
	// Random makes placeholder PARTUUIDs.
	Random io.Reader
	// Now dates files on the ESP; nil: 1980.
	Now func() time.Time
}

// Disk is an opened boot disk. It is for one goroutine, and for a short time: nobody else may change table or ESP meanwhile.
type Disk struct {
	device  block.Device
	running string
	random  io.Reader
	table   *gpt.Table
	esp     *fat.Volume
}

// Open reads the partition table and opens the ESP.
func Open(o Options) (*Disk, error) {
	table, _, err := gpt.Decode(o.Device, o.Device.SizeBytes(), o.Device.SectorSize())
	if err != nil {
		return nil, err
	}
	d := &Disk{device: o.Device, running: o.RunningRootHash, random: o.Random, table: table}
	section, err := d.espSection()
	if err != nil {
		return nil, err
	}
	if d.esp, err = fat.Open(section); err != nil {
		return nil, err
	}
	d.esp.Now = o.Now
	return d, nil
}

// espSection is the ESP's partition.
func (d *Disk) espSection() (block.Device, error) {
	for _, p := range d.table.Partitions {
		if p.Type == gpt.TypeESP {
			return d.section(p)
		}
	}
	return nil, fmt.Errorf("cannot find the ESP: the boot disk has no partition of type %s", gpt.TypeESP)
}

func (d *Disk) section(p gpt.Partition) (block.Device, error) {
	section, err := block.Section(d.device, d.table.StartBytes(p), d.table.SizeBytes(p))
	if err != nil {
		return nil, fmt.Errorf("cannot open partition %q: %w", p.Name, err)
	}
	return section, nil
}

// Observe says what the slots hold.
func (d *Disk) Observe() ([2]Slot, error) {
	pairs, err := d.pairs()
	if err != nil {
		return [2]Slot{}, err
	}
	entries, err := d.entries()
	if err != nil {
		return [2]Slot{}, err
	}
	return observe(d.table, pairs, entries, d.running), nil
}

// look is Observe for those that need a running slot.
func (d *Disk) look() (running, other Slot, err error) {
	observed, err := d.Observe()
	if err != nil {
		return running, other, err
	}
	running, other, ok := Running(observed)
	if !ok {
		return running, other, errElsewhere
	}
	return running, other, nil
}

// pairs finds the slots and looks whether they were ever written.
func (d *Disk) pairs() ([2]pair, error) {
	pairs, err := findPairs(d.table)
	if err != nil {
		return pairs, err
	}
	for i := range pairs {
		head := make([]byte, verity.BlockSize)
		if n, err := d.device.ReadAt(head, d.table.StartBytes(pairs[i].verity)); n < len(head) {
			return pairs, fmt.Errorf("cannot read partition %q: %w", pairs[i].verity.Name, err)
		}
		_, err := verity.DecodeSuperblock(head)
		pairs[i].tree = err == nil
	}
	return pairs, nil
}

// entries reads our boot entries.
func (d *Disk) entries() ([]Entry, error) {
	files, err := d.esp.List(EntryDirectory)
	if err != nil {
		return nil, fmt.Errorf("cannot list boot entries: %w", err)
	}
	var entries []Entry
	for _, f := range files {
		name, own := ownName(f.Name)
		if !own || f.Dir {
			continue
		}
		content, err := d.esp.OpenFile(EntryDirectory + "/" + f.Name)
		if err != nil {
			entries = append(entries, Entry{File: f.Name, SizeBytes: f.SizeBytes, Name: name, Err: fmt.Errorf("cannot read boot entry %q: %w", f.Name, err)})
			continue
		}
		entries = append(entries, readEntry(f.Name, name, content, f.SizeBytes))
	}
	return entries, nil
}

// Partitions opens root and verity partition of a slot, "a" or "b".
func (d *Disk) Partitions(slot string) (root, tree block.Device, err error) {
	pairs, err := findPairs(d.table)
	if err != nil {
		return nil, nil, err
	}
	for i, p := range pairs {
		if slotNames[i] != slot {
			continue
		}
		if root, err = d.section(p.root); err != nil {
			return nil, nil, err
		}
		tree, err = d.section(p.verity)
		return root, tree, err
	}
	return nil, nil, fmt.Errorf("cannot open slot %q: slots are called a and b", slot)
}

// setGUIDs gives the partitions of a slot their PARTUUIDs; where they have them, nothing is written. It changes the table as it is now: while
// a slot was being written, a reset of /var may have been asked for there.
func (d *Disk) setGUIDs(slot string, root, tree gpt.GUID) error {
	changed, _, err := gpt.Decode(d.device, d.device.SizeBytes(), d.device.SectorSize())
	if err != nil {
		return err
	}
	pairs, err := findPairs(changed)
	if err != nil {
		return err
	}
	for i, p := range pairs {
		if slotNames[i] == slot {
			changed.Partition(p.root.Number).GUID, changed.Partition(p.verity.Number).GUID = root, tree
		}
	}
	if err := changed.Update(d.device, d.device.Flush); err != nil {
		return err
	}
	d.table = changed
	return nil
}

// clearGUIDs gives the partitions of a slot placeholders.
func (d *Disk) clearGUIDs(slot string) error {
	root, err := placeholder(d.random)
	if err != nil {
		return err
	}
	tree, err := placeholder(d.random)
	if err != nil {
		return err
	}
	return d.setGUIDs(slot, root, tree)
}
