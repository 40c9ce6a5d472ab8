package system

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// watchDirectory is told of each file that appears in dir (inotify(7)). Closing the result ends a read of it.
func watchDirectory(dir string) (*os.File, error) {
	fd, err := unix.InotifyInit1(unix.IN_NONBLOCK | unix.IN_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("cannot watch %q: %w", dir, err)
	}
	watch := os.NewFile(uintptr(fd), "inotify")
	if _, err := unix.InotifyAddWatch(fd, dir, unix.IN_CREATE|unix.IN_ONLYDIR); err != nil {
		watch.Close()
		return nil, fmt.Errorf("cannot watch %q: %w", dir, err)
	}
	return watch, nil
}

// readNames waits for files to appear and returns their names.
func readNames(watch *os.File) ([]string, error) {
	buffer := make([]byte, 64*(unix.SizeofInotifyEvent+unix.NAME_MAX+1))
	n, err := watch.Read(buffer)
	if err != nil {
		return nil, err
	}
	return inotifyNames(buffer[:n]), nil
}

// inotifyNames decodes struct inotify_event: watch, mask, cookie and length as 32-bit words, then the name, filled up with zeros.
func inotifyNames(events []byte) (names []string) {
	for len(events) >= unix.SizeofInotifyEvent {
		length := int(binary.NativeEndian.Uint32(events[12:]))
		events = events[unix.SizeofInotifyEvent:]
		if length > len(events) {
			break
		}
		if name := string(bytes.TrimRight(events[:length], "\x00")); name != "" {
			names = append(names, name)
		}
		events = events[length:]
	}
	return names
}
