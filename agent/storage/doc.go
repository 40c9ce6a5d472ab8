// Package storage finds the boot disk and brings /var up: which disk, which partition, whether to mount it, make it anew or
// leave it alone, and how it grows.
//
//	disks + command line + loader -> chooseBootDisk -> partition of type var (DPS)
//	  -> observe -> decide -> mount | write the template, mount | tmpfs
//	later, with containers already starting: table grown -> kernel told (BLKPG) -> file system grown (EXT4_IOC_RESIZE_FS)
//
// Every choice is a pure function over what was seen, held by tables; the effects are thin and can be repeated.
//
// Invariants:
//   - Only the boot disk is ever used, and of disks with equal content always the same one (TestChooseBootDisk).
//   - A partition is written anew only where it holds nothing of value: it is blank, or was being written by us, or holds a file
//     system that was never mounted; or where an admin asked for a reset (reset.go). Everything else is left as it is, /var becomes a tmpfs, and the state says so (TestDecide).
//   - A power cut at any write leaves a disk that boots: see gpt.Table.Update for the partition table, template.go for the file system.
//
// No mkfs is on the root: the template is a small ext4 made by the builder, and ext4 grows online. A mkfs of our own was rejected for the
// number of formats it would have to keep in step with the kernel; an unpartitioned var in a file on the ESP for FAT.
package storage
