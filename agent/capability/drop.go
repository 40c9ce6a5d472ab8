package capability

import (
	"errors"
	"fmt"
	"slices"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Drop takes capabilities from this process and from all it will ever start: out of the bounding set, and then out of the effective, permitted and
// inheritable ones, in every thread. A capability that the kernel does not have is no error.
func Drop(list []Withheld) error {
	var failures []error
	for _, w := range list {
		number := slices.Index(Names, w.Name)
		_, _, errno := syscall.AllThreadsSyscall(unix.SYS_PRCTL, unix.PR_CAPBSET_DROP, uintptr(number), 0)
		if errno != 0 && errno != unix.EINVAL {
			failures = append(failures, fmt.Errorf("cannot drop %s from the bounding set: %w", w.Name, errno))
		}
	}
	if err := keep(func(set uint64) uint64 { return without(set, list) }); err != nil {
		failures = append(failures, fmt.Errorf("cannot drop capabilities: %w", err))
	}
	return errors.Join(failures...)
}

// without is a set less a list.
func without(set uint64, list []Withheld) uint64 {
	for _, w := range list {
		set &^= Mask([]string{w.Name})
	}
	return set
}

// keep reads this thread's sets and writes them to all threads, changed (capget(2), _LINUX_CAPABILITY_VERSION_3: two words of 32 bits a set).
func keep(change func(uint64) uint64) error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return err
	}
	for _, words := range [][2]*uint32{
		{&data[0].Effective, &data[1].Effective}, {&data[0].Permitted, &data[1].Permitted}, {&data[0].Inheritable, &data[1].Inheritable},
	} {
		set := change(uint64(*words[0]) | uint64(*words[1])<<32)
		*words[0], *words[1] = uint32(set), uint32(set>>32)
	}
	_, _, errno := syscall.AllThreadsSyscall(unix.SYS_CAPSET, uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&data[0])), 0)
	if errno != 0 {
		return errno
	}
	return nil
}
