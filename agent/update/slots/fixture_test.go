package slots

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stele-os/stele/internal/block"
	"github.com/stele-os/stele/internal/bundle"
	"github.com/stele-os/stele/internal/fat"
	"github.com/stele-os/stele/internal/gpt"
	"github.com/stele-os/stele/internal/uki"
	"github.com/stele-os/stele/internal/verity"
)

// version is a small version that is complete: a root with its tree, and a UKI that starts it.
type version struct {
	info            bundle.Info
	root, tree, uki []byte
}

var testSalt = []byte("salt")

func makeVersion(t testing.TB, name string, rootBytes int) version {
	t.Helper()
	var seed [32]byte
	copy(seed[:], name)
	root := make([]byte, rootBytes)
	_, _ = rand.NewChaCha8(seed).Read(root)
	tree := make(sliceWriter, verity.HashDeviceBytes(int64(len(root))))
	digest, err := verity.WriteTree(context.Background(), tree, bytes.NewReader(root), int64(len(root)), testSalt)
	if err != nil {
		t.Fatal(err)
	}
	blocks := int64(len(root) / verity.BlockSize)
	if err := verity.WriteSuperblock(tree, verity.Superblock{DataBlocks: blocks, Salt: testSalt}); err != nil {
		t.Fatal(err)
	}
	first, second, err := halves(hex.EncodeToString(digest[:]))
	if err != nil {
		t.Fatal(err)
	}
	table := verity.Table{DataDevice: "PARTUUID=" + first.String(), HashDevice: "PARTUUID=" + second.String(), DataBlocks: blocks, RootHash: digest, Salt: testSalt}
	image, err := uki.Append(stub(), []uki.Section{
		{Name: uki.OSRelease, Data: fmt.Appendf(nil, "ID=stele\nVERSION_ID=%q\nIMAGE_ID=\"test\"\nIMAGE_VERSION=%q\n", name, name)},
		{Name: uki.CommandLine, Data: []byte("root=/dev/dm-0 ro rootfstype=erofs gpt " + table.CreateArgument("root"))},
		{Name: uki.Kernel, Data: []byte("kernel of " + name)},
	})
	if err != nil {
		t.Fatal(err)
	}
	v := version{root: root, tree: tree, uki: image}
	part := func(b []byte) bundle.Part {
		sum := sha256.Sum256(b)
		return bundle.Part{Bytes: int64(len(b)), SHA256: hex.EncodeToString(sum[:])}
	}
	v.info = bundle.Info{Format: bundle.Format, Name: "test", Version: name, Architecture: "x86_64", RootHash: hex.EncodeToString(digest[:]),
		UKI: part(image), Verity: part(tree), Root: part(root)}
	return v
}

func (v version) openUKI(context.Context) (io.ReadCloser, error) {
	return io.NopCloser(bytes.NewReader(v.uki)), nil
}

// stub is the smallest PE32+ image to which sections can be appended (Microsoft PE Format).
func stub() []byte {
	le := binary.LittleEndian
	b := make([]byte, 0x600)
	copy(b, "MZ")
	le.PutUint32(b[0x3c:], 0x40)
	copy(b[0x40:], "PE\x00\x00")
	le.PutUint16(b[0x44:], 0x8664) // machine
	le.PutUint16(b[0x46:], 1)      // sections
	le.PutUint16(b[0x54:], 240)    // size of the optional header
	le.PutUint16(b[0x58:], 0x20b)  // PE32+
	le.PutUint32(b[0x58+32:], 0x1000)
	le.PutUint32(b[0x58+36:], 0x200)
	le.PutUint32(b[0x58+60:], 0x400) // size of headers
	section := b[0x58+240:]
	copy(section, ".text")
	le.PutUint32(section[8:], 1)
	le.PutUint32(section[12:], 0x1000)
	le.PutUint32(section[16:], 0x200)
	le.PutUint32(section[20:], 0x400)
	return b
}

type sliceWriter []byte

func (s sliceWriter) WriteAt(p []byte, at int64) (int, error) { return copy(s[at:], p), nil }

const testRootBytes = 48 << 10

// factory is a disk as the builder makes it, with v in slot a.
func factory(t testing.TB, v version) *block.Memory {
	t.Helper()
	first, second, err := halves(v.info.RootHash)
	if err != nil {
		t.Fatal(err)
	}
	const espBytes, slotBytes = 34 << 20, 1 << 20
	disk := block.NewMemory(espBytes+5*slotBytes+2<<20, gpt.DefaultSectorSize)
	table := gpt.New(gpt.GUID{9}, disk.SizeBytes(), disk.SectorSize())
	for _, p := range []struct {
		gpt.Partition
		size int64
	}{
		{gpt.Partition{Name: "esp", Type: gpt.TypeESP, GUID: gpt.GUID{1}}, espBytes},
		{gpt.Partition{Name: "root-a", Type: gpt.TypeRootX86_64, GUID: first}, slotBytes},
		{gpt.Partition{Name: "root-a-verity", Type: gpt.TypeRootX86_64Verity, GUID: second}, slotBytes},
		{gpt.Partition{Name: "root-b", Type: gpt.TypeRootX86_64, GUID: gpt.GUID{2}}, slotBytes},
		{gpt.Partition{Name: "root-b-verity", Type: gpt.TypeRootX86_64Verity, GUID: gpt.GUID{3}}, slotBytes},
		{gpt.Partition{Name: "var", Type: gpt.TypeVar, GUID: gpt.GUID{4}}, slotBytes},
	} {
		if _, err := table.Append(p.Partition, p.size); err != nil {
			t.Fatal(err)
		}
	}
	if err := table.Write(disk, disk.Flush); err != nil {
		t.Fatal(err)
	}
	file := func(path string, content []byte) fat.File {
		return fat.File{Path: path, Size: int64(len(content)), Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil }}
	}
	w := io.NewOffsetWriter(disk, table.StartBytes(table.Partitions[0]))
	err = fat.Write(w, fat.Params{SizeBytes: espBytes, Label: "ESP", Time: time.Unix(1e9, 0)}, []fat.File{
		file("EFI/BOOT/BOOTX64.EFI", []byte("boot loader")), file("loader/loader.conf", []byte("timeout 0\n")),
		file(EntryDirectory+"/stele_"+v.info.Version+".efi", v.uki),
	})
	if err != nil {
		t.Fatal(err)
	}
	place(t, disk, table.StartBytes(table.Partitions[1]), v.root)
	place(t, disk, table.StartBytes(table.Partitions[2]), v.tree)
	return disk
}

func place(t testing.TB, d block.Device, at int64, content []byte) {
	t.Helper()
	if _, err := d.WriteAt(content, at); err != nil {
		t.Fatal(err)
	}
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
	return Open(Options{Device: d, RunningRootHash: v.info.RootHash, Random: rand.NewChaCha8([32]byte{1})})
}

// copyTo does what the transfer does: it writes what differs.
func (v version) copyTo(to Target) error {
	for _, part := range []struct {
		device  block.Device
		content []byte
	}{{to.Root, v.root}, {to.Verity, v.tree}} {
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
	to, err := d.Begin(v.info)
	if err != nil {
		return err
	}
	if err := v.copyTo(to); err != nil {
		return err
	}
	return d.Seal(context.Background(), v.info, v.openUKI, func(string) {})
}
