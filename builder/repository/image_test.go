package repository

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stele-os/stele/builder/output"
	"github.com/stele-os/stele/internal/uki"
	"github.com/stele-os/stele/internal/verity"
)

// testImage is what a build leaves behind, as small as it can be: a root of two blocks.
type testImage struct {
	version, arch string
	// root of trust; empty: none.
	root string
	// change spoils the files, after the manifest is made.
	change func(dir string)
	// edit spoils the manifest.
	edit func(m *output.Manifest)
}

func (i testImage) write(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	root := bytes.Repeat([]byte(i.version+" root of "+i.arch+"\n"), verity.BlockSize)[:2*verity.BlockSize]
	tree, err := os.Create(put(t, filepath.Join(dir, "root.verity"), nil))
	if err != nil {
		t.Fatal(err)
	}
	defer tree.Close()
	hash, err := verity.WriteTree(t.Context(), tree, bytes.NewReader(root), int64(len(root)), []byte("salt"))
	if err != nil {
		t.Fatal(err)
	}
	if err := verity.WriteSuperblock(tree, verity.Superblock{DataBlocks: 2, Salt: []byte("salt")}); err != nil {
		t.Fatal(err)
	}
	kernel, err := uki.Append(testStub(), []uki.Section{
		{Name: uki.CommandLine, Data: fmt.Appendf(nil, "dm-mod.create=%x", hash)},
		{Name: uki.OSRelease, Data: fmt.Appendf(nil, "ID=\"stele\"\nIMAGE_VERSION=%q\n", i.version)},
	})
	if err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(dir, "root.erofs"), root)
	put(t, filepath.Join(dir, "uki.efi"), kernel)
	m := &output.Manifest{Name: "demo", Version: i.version, Architecture: i.arch, RootHash: hex.EncodeToString(hash[:])}
	for _, name := range bundled {
		text, _ := os.ReadFile(filepath.Join(dir, name))
		sum := sha256.Sum256(text)
		m.Artifacts = append(m.Artifacts, output.Artifact{Name: name, SizeBytes: int64(len(text)), SHA256: hex.EncodeToString(sum[:])})
	}
	if i.root != "" {
		text, err := os.ReadFile(i.root)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(text)
		m.UpdateRoot = &output.UpdateRoot{Version: 1, SHA256: hex.EncodeToString(sum[:])}
	}
	if i.edit != nil {
		i.edit(m)
	}
	text, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(dir, output.ManifestFile), text)
	if i.change != nil {
		i.change(dir)
	}
	return dir
}

func put(t testing.TB, path string, text []byte) string {
	t.Helper()
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// testStub is the smallest PE32+ image that sections can be appended to.
func testStub() []byte {
	b := make([]byte, 0x600)
	le := binary.LittleEndian
	copy(b, "MZ")
	le.PutUint32(b[0x3c:], 0x40)
	copy(b[0x40:], "PE\x00\x00\x64\x86\x01\x00")
	le.PutUint16(b[0x44+16:], 240)
	opt := b[0x58:]
	le.PutUint16(opt, 0x20b)
	le.PutUint32(opt[32:], 0x1000)
	le.PutUint32(opt[36:], 0x200)
	le.PutUint32(opt[60:], 0x400)
	section := opt[240:]
	copy(section, ".text")
	for i, v := range []uint32{1, 0x1000, 0x200, 0x400} {
		le.PutUint32(section[8+4*i:], v)
	}
	return b
}
