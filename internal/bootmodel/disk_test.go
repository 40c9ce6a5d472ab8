package bootmodel

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"testing"

	"github.com/stele-os/stele/internal/block"
	"github.com/stele-os/stele/internal/bootguard"
	"github.com/stele-os/stele/internal/fat"
	"github.com/stele-os/stele/internal/gpt"
	"github.com/stele-os/stele/internal/uki"
	"github.com/stele-os/stele/internal/verity"
)

const (
	rootBytes = 32 << 10
	espBytes  = 48 << 20
)

// version is one version's parts.
type version struct {
	name       string
	root, tree []byte
	hash       verity.Digest
	uki        []byte
}

// memory is an io.WriterAt over bytes.
type memory []byte

func (m memory) WriteAt(p []byte, at int64) (int, error) { return copy(m[at:], p), nil }

func newVersion(t testing.TB, name string) version {
	t.Helper()
	v := version{name: name, root: bytes.Repeat([]byte(name+" "), rootBytes)[:rootBytes], tree: make([]byte, verity.HashDeviceBytes(rootBytes))}
	salt := []byte{1, 2, 3}
	var err error
	if v.hash, err = verity.WriteTree(context.Background(), memory(v.tree), bytes.NewReader(v.root), rootBytes, salt); err != nil {
		t.Fatal(err)
	}
	table := verity.Table{
		DataDevice: "PARTUUID=" + gpt.FromUUID([16]byte(v.hash[:16])).String(), HashDevice: "PARTUUID=" + gpt.FromUUID([16]byte(v.hash[16:])).String(),
		DataBlocks: rootBytes / verity.BlockSize, RootHash: v.hash, Salt: salt,
	}
	v.uki, err = uki.Append(stub(), []uki.Section{
		{Name: uki.OSRelease, Data: fmt.Appendf(nil, "ID=stele\nIMAGE_VERSION=%q\n", name)},
		{Name: uki.CommandLine, Data: []byte("root=/dev/dm-0 " + table.CreateArgument("root") + " quiet")},
		{Name: uki.Kernel, Data: bytes.Repeat([]byte(name), 700)},
	})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// stub is the smallest PE image that sections can be appended to: a driver has the same headers.
func stub() []byte { return driver().Image }

// slot says what lies in one slot: a version, under the name of its entry.
type slot struct {
	version
	entry string
}

// newDisk assembles a disk: an ESP with these entries, and two slots.
func newDisk(t testing.TB, a, b slot, more ...fat.File) *block.Memory {
	t.Helper()
	d := block.NewMemory(64<<20, 512)
	table := gpt.New(gpt.MustGUID("11111111-2222-8333-8444-555555555555"), d.SizeBytes(), 512)
	half := func(b []byte, fallback byte) gpt.GUID {
		if b == nil {
			return gpt.GUID{15: fallback}
		}
		return gpt.FromUUID([16]byte(b))
	}
	add := func(name string, kind, id gpt.GUID, size int64, content []byte) *gpt.Partition {
		p, err := table.Append(gpt.Partition{Type: kind, GUID: id, Name: name}, size)
		if err == nil {
			_, err = d.WriteAt(content, table.StartBytes(*p))
		}
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	esp := add("esp", gpt.TypeESP, gpt.GUID{15: 1}, espBytes, nil)
	for i, s := range []slot{a, b} {
		var left, right []byte
		if s.root != nil {
			left, right = s.hash[:16], s.hash[16:]
		}
		name := "root-" + string("ab"[i])
		add(name, gpt.TypeRootX86_64, half(left, byte(16+i)), rootBytes, s.root)
		add(name+"-verity", gpt.TypeRootX86_64Verity, half(right, byte(32+i)), 1<<20, s.tree)
		if s.entry != "" {
			more = append(more, espFile("EFI/Linux/"+s.entry, s.uki))
		}
	}
	if err := table.Write(d, d.Flush); err != nil {
		t.Fatal(err)
	}
	volume, err := block.Section(d, table.StartBytes(*esp), espBytes)
	if err != nil {
		t.Fatal(err)
	}
	more = append(more, espFile("EFI/BOOT/BOOTX64.EFI", []byte("loader")), espFile("loader/loader.conf", []byte("timeout 0\neditor no\n")))
	if err := fat.Write(volume, fat.Params{SizeBytes: espBytes, Label: "ESP"}, more); err != nil {
		t.Fatal(err)
	}
	return d
}

func espFile(path string, content []byte) fat.File {
	return fat.File{Path: path, Size: int64(len(content)), Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil }}
}

func guard() fat.File { return espFile(driver().Path, driver().Image) }

func driver() bootguard.Driver {
	d, err := bootguard.For("x86_64")
	if err != nil {
		panic(err)
	}
	return d
}

// partitionStart is where a partition lies.
func partitionStart(t testing.TB, d *block.Memory, name string) int64 {
	t.Helper()
	table, _, err := gpt.Decode(d, d.SizeBytes(), 512)
	if err != nil {
		t.Fatal(err)
	}
	return table.StartBytes(*table.ByName(name))
}

func overwrite(t testing.TB, d *block.Memory, at int64, content ...byte) {
	t.Helper()
	if _, err := d.WriteAt(content, at); err != nil {
		t.Fatal(err)
	}
}
