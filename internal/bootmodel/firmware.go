package bootmodel

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"github.com/stele-os/stele/internal/block"
	"github.com/stele-os/stele/internal/bls"
	"github.com/stele-os/stele/internal/gpt"
)

var le = binary.LittleEndian

// firmware is a machine that found its loader.
type firmware struct {
	disk  block.Device
	table *gpt.Table
	esp   *volume
}

// findFirmware goes as far as the loader: the first EFI system partition with one in the place for removable media (UEFI 2.10 §3.5.1.1).
func findFirmware(d block.Device) (*firmware, error) {
	if err := checkProtectiveMBR(d); err != nil {
		return nil, err
	}
	table, _, err := gpt.Decode(d, d.SizeBytes(), d.SectorSize())
	if err != nil {
		return nil, err
	}
	cause := errors.New("the disk has no EFI system partition")
	for _, p := range table.Partitions {
		if p.Type != gpt.TypeESP {
			continue
		}
		esp, err := openPartition(d, table, p)
		if err == nil {
			err = esp.hasLoader()
		}
		if err == nil {
			return &firmware{disk: d, table: table, esp: esp}, nil
		}
		cause = fmt.Errorf("EFI system partition %d: %w", p.Number, err)
	}
	return nil, cause
}

// checkProtectiveMBR: EDK2 (PartitionDxe, PartitionInstallGptChildHandles) takes a disk for one with a GPT only when an entry of LBA 0 has the type
// 0xEE and starts at LBA 1 (UEFI 2.10 Table 5.4); the two bytes at the end do not matter to it, but do to Linux without the word gpt.
func checkProtectiveMBR(d block.Device) error {
	mbr := make([]byte, 512)
	if _, err := d.ReadAt(mbr, 0); err != nil {
		return err
	}
	for i := range 4 {
		entry := mbr[446+16*i:]
		if entry[4] == 0xee && le.Uint32(entry[8:]) == 1 {
			return nil
		}
	}
	return errors.New("the disk has no protective MBR")
}

func openPartition(d block.Device, t *gpt.Table, p gpt.Partition) (*volume, error) {
	section, err := block.Section(d, t.StartBytes(p), t.SizeBytes(p))
	if err != nil {
		return nil, err
	}
	return openVolume(section)
}

func (v *volume) hasLoader() error {
	var errs []error
	for _, path := range []string{"EFI/BOOT/BOOTX64.EFI", "EFI/BOOT/BOOTAA64.EFI"} {
		f, err := v.find(path)
		if err == nil {
			_, err = v.read(f)
		}
		if err == nil {
			return nil
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// candidate is an entry with where it lies.
type candidate struct {
	entry bls.Entry
	file  file
}

// candidates are the entries that the loader lists: PE images with an .osrel section that names a system.
func (f *firmware) candidates() ([]candidate, error) {
	if err := f.checkLoaderConf(); err != nil {
		return nil, err
	}
	dir, err := f.esp.find("EFI/Linux")
	if err != nil {
		return nil, err
	}
	files, err := f.esp.list(dir)
	if err != nil {
		return nil, err
	}
	var found []candidate
	for _, file := range files {
		if file.dir || !bls.Listed(file.name) {
			continue
		}
		image := imageReader{f.esp, file}
		osrelease, err := image.section(".osrel")
		if err != nil {
			continue // the loader skips it without a word
		}
		if entry, ok := bls.EntryOf(file.name, osrelease); ok {
			found = append(found, candidate{entry, file})
		}
	}
	if len(found) == 0 {
		return nil, errors.New("the loader finds no entry")
	}
	return found, nil
}

// checkLoaderConf: "default" would take the choice from the counters, and what is missing or unreadable leaves the loader with its own defaults, which is to
// wait for nobody.
func (f *firmware) checkLoaderConf() error {
	conf, err := f.esp.find("loader/loader.conf")
	if err != nil {
		return nil
	}
	text, err := f.esp.read(conf)
	if err != nil {
		return nil
	}
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(strings.TrimSpace(line), "default") {
			return errors.New(`loader.conf has the word "default", which defeats boot counting`)
		}
	}
	return nil
}

// loadFails is what happens when firmware refuses an image: the loader returns to it, and the machine stays in a menu or a shell (seen with systemd-boot 257 and OVMF),
// unless a driver on the ESP resets it (internal/bootguard).
func (f *firmware) loadFails(cause error) error {
	stuck := fmt.Errorf("%w: %w", errStuck, cause)
	dir, err := f.esp.find("EFI/systemd/drivers")
	if err != nil {
		return stuck
	}
	files, err := f.esp.list(dir)
	if err != nil {
		return stuck
	}
	for _, file := range files {
		name := strings.ToLower(file.name)
		if !strings.HasSuffix(name, "x64.efi") && !strings.HasSuffix(name, "aa64.efi") {
			continue
		}
		if _, err := (imageReader{f.esp, file}).whole(); err == nil {
			return cause
		}
	}
	return stuck
}
