package slots

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/stele-os/stele/agent/update/slotstest"
	"github.com/stele-os/stele/internal/block"
)

type version = slotstest.Version

func openUKI(v version) func(context.Context) (io.ReadCloser, error) {
	return func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(v.UKI)), nil }
}

// open opens a disk that runs v.
func open(t testing.TB, d block.Device, v version) *Disk {
	t.Helper()
	disk, err := openDisk(d, v)
	if err != nil {
		t.Fatal(err)
	}
	return disk
}

func openDisk(d block.Device, v version) (*Disk, error) {
	return Open(Options{Device: d, RunningRootHash: v.Info.RootHash, Random: rand.NewChaCha8([32]byte{1})})
}

// copyTo does what the transfer does: it writes what differs.
func copyTo(v version, to Target) error {
	for _, part := range []struct {
		device  block.Device
		content []byte
	}{{to.Root, v.Root}, {to.Verity, v.Tree}} {
		for at := 0; at < len(part.content); at += copyUnit {
			want := part.content[at:min(at+copyUnit, len(part.content))]
			have := make([]byte, len(want))
			if _, err := part.device.ReadAt(have, int64(at)); err != nil {
				return err
			}
			if bytes.Equal(have, want) {
				continue
			}
			if _, err := part.device.WriteAt(want, int64(at)); err != nil {
				return err
			}
		}
	}
	return nil
}

const copyUnit = 8 << 10

// stage is a whole staging.
func stage(d *Disk, v version) error {
	to, err := d.Begin(v.Info)
	if err != nil {
		return err
	}
	if err := copyTo(v, to); err != nil {
		return err
	}
	return d.Seal(context.Background(), v.Info, openUKI(v), func(string) {})
}
