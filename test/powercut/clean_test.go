//go:build qemu

package powercut

import (
	"fmt"
	"reflect"

	"github.com/stele-os/stele/internal/block"
	"github.com/stele-os/stele/internal/fat"
	"github.com/stele-os/stele/internal/gpt"
)

// clean: nothing that a power cut may leave is left on ESP and table.
func clean(disk string) error {
	d, err := block.OpenFile(disk)
	if err != nil {
		return err
	}
	defer d.Close()
	table, source, err := gpt.Decode(d, d.SizeBytes(), d.SectorSize())
	if err != nil {
		return err
	}
	backup, _, err := gpt.Decode(headless{d}, d.SizeBytes(), d.SectorSize())
	if err != nil || source != gpt.Primary || !reflect.DeepEqual(table, backup) {
		return fmt.Errorf("the copies of the partition table differ: %v, %v", source, err)
	}
	esp := table.ByName("esp")
	section, err := block.Section(d, table.StartBytes(*esp), table.SizeBytes(*esp))
	if err != nil {
		return err
	}
	v, err := fat.Open(section)
	if err != nil {
		return err
	}
	if done, err := v.Repair("EFI/Linux"); err != nil || len(done) > 0 {
		return fmt.Errorf("left on the ESP: %q (%v)", done, err)
	}
	return nil
}

// headless is a disk whose primary table has no header.
type headless struct{ block.Device }

func (h headless) ReadAt(p []byte, at int64) (int, error) {
	if at == h.SectorSize() {
		clear(p)
		return len(p), nil
	}
	return h.Device.ReadAt(p, at)
}
