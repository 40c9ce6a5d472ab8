package vm

import (
	"fmt"
	"strconv"
)

// driveArguments are what lies behind a disk's device.
func driveArguments(i int, d Disk, path string) []string {
	drive := "if=none,id=" + diskID(i) + ",format=raw,file=" + escape(path)
	if d.ReadOnly || d.Bus == "cdrom" {
		drive += ",readonly=on"
	}
	if d.Bus == "cdrom" {
		drive += ",media=cdrom"
	} else {
		drive += ",discard=unmap"
	}
	return []string{"-drive", drive}
}

// writeLog is where a disk's writes are logged.
type writeLog struct {
	path string
	// goesOn: there is a log already.
	goesOn bool
}

// loggedDriveArguments put QEMU's blklogwrites between a disk and its device. The log's super block is written with every entry: QEMU is killed where
// the power is cut.
func loggedDriveArguments(i int, d Disk, path string, log writeLog) []string {
	id := diskID(i)
	file, record := id+"-file", id+"-log"
	filter := "driver=blklogwrites,node-name=" + id + ",discard=unmap,file=" + file + ",log=" + record +
		",log-sector-size=" + strconv.Itoa(logSectorBytes) + ",log-super-update-interval=1"
	if log.goesOn {
		filter += ",log-append=on"
	}
	return []string{
		"-blockdev", "driver=file,node-name=" + file + ",discard=unmap,filename=" + escape(path),
		"-blockdev", "driver=file,node-name=" + record + ",filename=" + escape(log.path),
		"-blockdev", filter,
	}
}

// logSectorBytes is the unit of logged writes: the sector of QEMU's disks.
const logSectorBytes = 512

// deviceArguments give each disk its bus. The one to boot from has a boot index: without one, firmware would spend minutes on network boot. With a
// kernel given, QEMU keeps that index for itself.
func deviceArguments(i int, d Disk, boot bool) []string {
	device := map[string]string{
		"": "virtio-blk-pci", "virtio": "virtio-blk-pci", "nvme": "nvme", "ahci": "ide-hd", "cdrom": "ide-cd",
		"megasas": "scsi-hd", "pvscsi": "scsi-hd", "usb": "usb-storage",
	}[d.Bus] + ",drive=" + diskID(i)
	var args []string
	if controller := diskControllers[d.Bus]; controller != "" {
		id := fmt.Sprintf("controller%d", i)
		args = []string{"-device", controller + ",id=" + id}
		device += ",bus=" + id + ".0"
	}
	if d.Bus == "ahci" || d.Bus == "cdrom" {
		device += fmt.Sprintf(",bus=ide.%d", i) // the AHCI controller (architecture.sata), one port a disk
	}
	serial := d.Serial
	if serial == "" && d.Bus == "nvme" {
		serial = diskID(i) // an NVMe controller must have one
	}
	if serial != "" {
		device += ",serial=" + escape(serial)
	}
	if boot {
		device += ",bootindex=0"
	}
	return append(args, "-device", device)
}

// diskControllers are buses that a disk brings with it.
var diskControllers = map[string]string{"megasas": "megasas", "pvscsi": "pvscsi", "usb": "qemu-xhci"}

func diskID(i int) string { return fmt.Sprintf("disk%d", i) }
