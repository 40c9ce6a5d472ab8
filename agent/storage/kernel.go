package storage

import (
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// From linux/blkpg.h, linux/fs.h and ext4 (fs/ext4/ext4.h); not in x/sys.
const (
	blkpgResizePartition = 3
	ioctlBLKPG           = 0x1269     // BLKPG, _IO(0x12, 105)
	ioctlBLKDISCARD      = 0x1277     // BLKDISCARD, _IO(0x12, 119)
	ioctlBLKZEROOUT      = 0x127f     // BLKZEROOUT, _IO(0x12, 127)
	ioctlResizeExt4      = 0x40086610 // EXT4_IOC_RESIZE_FS, _IOW('f', 16, __u64)
)

// blkpgPartition is struct blkpg_partition.
type blkpgPartition struct {
	start, length int64 // bytes
	number        int32
	_             [64 + 64]byte // devname, volname
	_             [4]byte
}

// blkpgRequest is struct blkpg_ioctl_arg.
type blkpgRequest struct {
	op      int32
	flags   int32
	datalen int32
	_       int32
	data    *blkpgPartition
}

// resizePartition tells the kernel that a partition is larger now. It works while the partition is mounted.
func resizePartition(disk *os.File, number int, start, length int64) error {
	p := blkpgPartition{start: start, length: length, number: int32(number)}
	request := blkpgRequest{op: blkpgResizePartition, datalen: int32(unsafe.Sizeof(p)), data: &p}
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, disk.Fd(), ioctlBLKPG, uintptr(unsafe.Pointer(&request))); errno != 0 {
		return fmt.Errorf("cannot tell the kernel the new size of partition %d: %w", number, errno)
	}
	return nil
}

// resizeExt4 grows the mounted file system at path.
func resizeExt4(path string, blocks uint64) error {
	dir, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("cannot grow %q: %w", path, err)
	}
	defer dir.Close()
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, dir.Fd(), ioctlResizeExt4, uintptr(unsafe.Pointer(&blocks))); errno != 0 {
		return fmt.Errorf("cannot grow %q to %d blocks: %w", path, blocks, errno)
	}
	return nil
}

// partitionFile is a partition opened for writing.
type partitionFile struct{ *os.File }

// Zero uses the disk's own way of clearing where it has one.
func (p partitionFile) Zero(offset, length int64) error {
	return p.span(ioctlBLKZEROOUT, offset, length)
}

// Discard tells the disk that a range is not needed any more. Many disks have no such thing.
func (p partitionFile) Discard(offset, length int64) error {
	return p.span(ioctlBLKDISCARD, offset, length)
}

func (p partitionFile) span(request uintptr, offset, length int64) error {
	span := [2]uint64{uint64(offset), uint64(length)}
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, p.Fd(), request, uintptr(unsafe.Pointer(&span))); errno != 0 {
		return errno
	}
	return nil
}

// varFlags of every mount of /var. Programs in containers run from overlay mounts, which do not inherit noexec.
const varFlags = unix.MS_NODEV | unix.MS_NOSUID | unix.MS_NOEXEC | unix.MS_NOATIME

func mountMemory(target string) error {
	if err := unix.Mount("tmpfs", target, "tmpfs", varFlags, "mode=0755,size=50%"); err != nil {
		return fmt.Errorf("cannot mount %q in memory: %w", target, err)
	}
	return nil
}
