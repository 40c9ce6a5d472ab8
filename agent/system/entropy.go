package system

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"unsafe"

	"golang.org/x/sys/unix"
)

// seedBytes is what the kernel's generator holds: 256 bits (drivers/char/random.c, BLAKE2S_HASH_SIZE).
const seedBytes = 32

// CreditSeed gives the seed that the last boot left at path to the kernel and credits it, then leaves a new one for the next boot.
// The old seed is off the disk before it counts: a power cut must not let two boots start from the same seed.
// A missing seed (first boot) is none of its business; a new one is left all the same.
func CreditSeed(path string) error {
	seed, err := os.ReadFile(path)
	switch {
	case err == nil:
		if err := os.Remove(path); err != nil {
			return fmt.Errorf("cannot remove used seed %q: %w", path, err)
		}
		if err := syncDirectory(filepath.Dir(path)); err != nil {
			return err
		}
		if len(seed) == seedBytes {
			if err := addEntropy(seed); err != nil {
				return err
			}
		}
	case !errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("cannot read seed %q: %w", path, err)
	}
	return SaveSeed(path)
}

// SaveSeed leaves a seed for the next boot, readable by root only.
func SaveSeed(path string) error {
	seed := make([]byte, seedBytes)
	// crypto/rand.Read never returns an error; it waits until the kernel's generator is ready (getrandom(2)).
	_, _ = rand.Read(seed)
	file, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("cannot save seed %q: %w", path, err)
	}
	_, err = file.Write(seed)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return fmt.Errorf("cannot save seed %q: %w", path, err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("cannot save seed %q: %w", path, err)
	}
	return syncDirectory(filepath.Dir(path))
}

// randPoolInfo is struct rand_pool_info of linux/random.h with a buffer of seedBytes.
type randPoolInfo struct {
	entropyBits int32
	sizeBytes   int32
	buffer      [seedBytes]byte
}

func addEntropy(seed []byte) error {
	device, err := os.OpenFile("/dev/urandom", os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("cannot credit seed: %w", err)
	}
	defer device.Close()
	info := randPoolInfo{entropyBits: seedBytes * 8, sizeBytes: seedBytes}
	copy(info.buffer[:], seed)
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, device.Fd(), unix.RNDADDENTROPY, uintptr(unsafe.Pointer(&info))); errno != 0 {
		return fmt.Errorf("cannot credit seed: %w", errno)
	}
	return nil
}

func syncDirectory(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("cannot sync directory %q: %w", path, err)
	}
	defer dir.Close()
	if err := dir.Sync(); err != nil {
		return fmt.Errorf("cannot sync directory %q: %w", path, err)
	}
	return nil
}
