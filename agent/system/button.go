package system

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// From linux/input-event-codes.h and linux/input.h.
const (
	eventKey      = 0x01
	keyPower      = 116
	inputEventLen = 24 // struct input_event on 64-bit: two 8-byte times, u16 type, u16 code, s32 value
)

// WatchPowerButton calls pressed at each press of a power button (ACPI or GPIO, both input devices) until ctx is done.
// It returns an error at once where no input device has such a key.
func WatchPowerButton(ctx context.Context, root string, pressed func()) error {
	paths, _ := filepath.Glob(filepath.Join(root, "dev/input/event[0-9]*"))
	var buttons []*os.File
	for _, path := range paths {
		// Non-blocking, so that closing the file ends a read.
		if file, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0); err == nil {
			if hasPowerKey(file) {
				buttons = append(buttons, file)
			} else {
				file.Close()
			}
		}
	}
	if len(buttons) == 0 {
		return errors.New("cannot watch power button: no input device has one")
	}
	stop := context.AfterFunc(ctx, func() {
		for _, b := range buttons {
			b.Close()
		}
	})
	defer stop()
	var readers sync.WaitGroup
	for _, b := range buttons {
		readers.Go(func() { readPresses(b, pressed) })
	}
	readers.Wait()
	return fmt.Errorf("cannot watch power button: %w", ctx.Err())
}

func hasPowerKey(file *os.File) bool {
	var bits [96]byte // KEY_MAX is 0x2ff
	raw, err := file.SyscallConn()
	if err != nil {
		return false
	}
	// EVIOCGBIT(EV_KEY, len): _IOC(_IOC_READ, 'E', 0x20+EV_KEY, len).
	request := uintptr(2<<30 | len(bits)<<16 | 'E'<<8 | (0x20 + eventKey))
	var errno unix.Errno
	err = raw.Control(func(fd uintptr) {
		_, _, errno = unix.Syscall(unix.SYS_IOCTL, fd, request, uintptr(unsafe.Pointer(&bits[0])))
	})
	return err == nil && errno == 0 && bits[keyPower/8]&(1<<(keyPower%8)) != 0
}

func readPresses(from io.Reader, pressed func()) {
	var event [inputEventLen]byte
	for {
		if _, err := io.ReadFull(from, event[:]); err != nil {
			return
		}
		if isPowerPress(event) {
			pressed()
		}
	}
}

// isPowerPress tells whether an event is the power key going down (value 1; 0 is up, 2 a repeat).
func isPowerPress(event [inputEventLen]byte) bool {
	kind := binary.NativeEndian.Uint16(event[16:])
	code := binary.NativeEndian.Uint16(event[18:])
	value := binary.NativeEndian.Uint32(event[20:])
	return kind == eventKey && code == keyPower && value == 1
}
