package system

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
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

// WatchPowerButton calls pressed at each press of a power button (ACPI's, one on a GPIO line, a USB keyboard's power key: all are input devices)
// until ctx is done. Devices that appear later count, too: USB finds a keyboard when the agent runs already. It returns an error at once where there
// are no input devices at all.
func WatchPowerButton(ctx context.Context, root string, pressed func()) error {
	dir := filepath.Join(root, "dev/input")
	newcomers, err := watchDirectory(dir) // before looking, so that none slips through
	if err != nil {
		return fmt.Errorf("cannot watch power button: %w", err)
	}
	buttons := &buttons{pressed: pressed}
	defer buttons.readers.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	context.AfterFunc(ctx, func() { newcomers.Close() })
	paths, _ := filepath.Glob(filepath.Join(dir, "event[0-9]*"))
	for _, path := range paths {
		buttons.add(ctx, path)
	}
	for {
		names, err := readNames(newcomers)
		if err != nil {
			return fmt.Errorf("cannot watch power button: %w", cmp.Or(ctx.Err(), err))
		}
		for _, name := range names {
			if strings.HasPrefix(name, "event") {
				buttons.add(ctx, filepath.Join(dir, name))
			}
		}
	}
}

// buttons are the devices that are being read, by path.
type buttons struct {
	pressed func()
	open    sync.Map
	readers sync.WaitGroup
}

// add reads a device until it goes away or ctx is done, if it has a power key.
func (b *buttons) add(ctx context.Context, path string) {
	// Non-blocking, so that closing the file ends a read.
	file, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return
	}
	if !hasPowerKey(file) {
		file.Close()
		return
	}
	if _, twice := b.open.LoadOrStore(path, true); twice {
		file.Close()
		return
	}
	stop := context.AfterFunc(ctx, func() { file.Close() })
	b.readers.Go(func() {
		defer b.open.Delete(path) // a name is given again
		defer stop()
		defer file.Close()
		readPresses(file, b.pressed)
	})
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
