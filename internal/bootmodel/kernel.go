package bootmodel

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/maphash"
	"strconv"
	"strings"

	"github.com/stele-os/stele/internal/block"
	"github.com/stele-os/stele/internal/verity"
)

// errStuck is a boot that ends neither in a system nor in a reset.
var errStuck = errors.New("the machine is stuck")

// root is where a kernel found its root.
type root struct{ name, hash string }

// start is one boot of an entry: firmware loads the image, the kernel finds and verifies its root.
func (m *Model) start(f *firmware, c candidate) (root, error) {
	image := imageReader{f.esp, c.file}
	content, err := image.load()
	if err != nil {
		return root{}, f.loadFails(err)
	}
	if len(m.known) > 0 && !m.known[maphash.Bytes(m.seed, content)] {
		return root{}, fmt.Errorf("%w: its content is not that of a UKI that is known", errStuck)
	}
	line, err := image.section(".cmdline")
	if err != nil {
		return root{}, err
	}
	t, err := parseTable(string(line))
	if err != nil {
		return root{}, err
	}
	data, err := f.byPartUUID(t.data)
	if err != nil {
		return root{}, err
	}
	hash, err := f.byPartUUID(t.hash)
	if err != nil {
		return root{}, err
	}
	if err := m.verify(data.Device, hash.Device, t); err != nil {
		return root{}, err
	}
	return root{data.name, hex.EncodeToString(t.root[:])}, nil
}

// partition is one by its name.
type partition struct {
	block.Device
	name string
}

// byPartUUID is the first partition with a GUID, as the kernel looks them up (block/early-lookup.c).
func (f *firmware) byPartUUID(id string) (partition, error) {
	for _, p := range f.table.Partitions {
		if strings.EqualFold(p.GUID.String(), id) {
			d, err := block.Section(f.disk, f.table.StartBytes(p), f.table.SizeBytes(p))
			return partition{d, p.Name}, err
		}
	}
	return partition{}, fmt.Errorf("no partition has the GUID %s", id)
}

// table is the verity target of the command line.
type table struct {
	data, hash string
	blocks     int64
	root       verity.Digest
	salt       []byte
}

// parseTable reads dm-mod.create="name,uuid,minor,flags,0 SECTORS verity 1 DATA HASH 4096 4096 BLOCKS 1 sha256 ROOT SALT ..." (kernel,
// admin-guide/device-mapper/dm-init.rst and verity.rst).
func parseTable(line string) (table, error) {
	_, rest, ok := strings.Cut(line, `dm-mod.create="`)
	argument, _, closed := strings.Cut(rest, `"`)
	parts := strings.SplitN(argument, ",", 5)
	if !ok || !closed || len(parts) != 5 {
		return table{}, errors.New("its command line makes no verity device")
	}
	w := strings.Fields(parts[4])
	if len(w) < 13 || w[2] != "verity" || w[6] != "4096" || w[7] != "4096" || w[9] != "1" || w[10] != "sha256" {
		return table{}, fmt.Errorf("its verity table %q is not of the form that is known", parts[4])
	}
	data, isData := strings.CutPrefix(w[4], "PARTUUID=")
	hash, isHash := strings.CutPrefix(w[5], "PARTUUID=")
	blocks, err := strconv.ParseInt(w[8], 10, 40)
	digest, digestErr := hex.DecodeString(w[11])
	salt, saltErr := hex.DecodeString(strings.TrimPrefix(w[12], "-"))
	if err := errors.Join(err, digestErr, saltErr); err != nil {
		return table{}, err
	}
	if !isData || !isHash || len(digest) != len(verity.Digest{}) || blocks <= 0 {
		return table{}, fmt.Errorf("its verity table %q is not of the form that is known", parts[4])
	}
	return table{data, hash, blocks, verity.Digest(digest), salt}, nil
}

// verify checks every block of data and every hash block, once for each content.
func (m *Model) verify(data, hash block.Device, t table) error {
	dataBytes := t.blocks * verity.BlockSize
	hashBytes := verity.HashDeviceBytes(dataBytes)
	if dataBytes > data.SizeBytes() || hashBytes > hash.SizeBytes() {
		return errors.New("its root does not fit the partition")
	}
	content := make([]byte, dataBytes+hashBytes)
	if _, err := data.ReadAt(content[:dataBytes], 0); err != nil {
		return err
	}
	if _, err := hash.ReadAt(content[dataBytes:], 0); err != nil {
		return err
	}
	key := m.key(content[:dataBytes], content[dataBytes+verity.BlockSize:], t)
	result, ok := m.verified[key]
	if !ok {
		result = verifyContent(content[:dataBytes], content[dataBytes:], t)
		m.verified[key] = result
	}
	return result
}

func (m *Model) key(data, tree []byte, t table) uint64 {
	var h maphash.Hash
	h.SetSeed(m.seed)
	for _, b := range [][]byte{data, tree, t.root[:], t.salt} {
		h.Write(b)
	}
	return h.Sum64()
}

// verifyContent makes the tree anew: the kernel, which is given all parameters, does not read the superblock.
func verifyContent(data, hash []byte, t table) error {
	tree := &comparer{want: hash}
	got, err := verity.WriteTree(context.Background(), tree, bytes.NewReader(data), int64(len(data)), t.salt)
	switch {
	case err != nil:
		return err
	case got != t.root:
		return fmt.Errorf("its root has the hash %x, not %x", got[:4], t.root[:4])
	case tree.differs:
		return errors.New("its hash tree is damaged")
	}
	return nil
}

// comparer takes the blocks of a tree and compares them with those on the disk.
type comparer struct {
	want    []byte
	differs bool
}

func (c *comparer) WriteAt(b []byte, at int64) (int, error) {
	if at+int64(len(b)) > int64(len(c.want)) || !bytes.Equal(b, c.want[at:at+int64(len(b))]) {
		c.differs = true
	}
	return len(b), nil
}
