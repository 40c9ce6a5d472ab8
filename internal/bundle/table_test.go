package bundle

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strings"
	"testing"
)

// sign makes the information agree with a table.
func sign(info Info, table []byte) Info {
	digest := sha256.Sum256(table)
	info.Table.SHA256 = hex.EncodeToString(digest[:])
	return info
}

func TestReadTableRefuses(t *testing.T) {
	file, info := write(t, newParts())
	good := tableOf(file, info)
	length := func(chunk int, n uint32) []byte {
		b := bytes.Clone(good)
		binary.LittleEndian.PutUint32(b[chunk*EntryBytes:], n)
		return b
	}
	first := binary.LittleEndian.Uint32(good)
	for _, c := range []struct {
		name  string
		table []byte
		info  Info
		want  string
	}{
		{"short", good[:len(good)-1], info, "it has 827 bytes instead of 828"},
		{"empty", nil, info, "it has 0 bytes"},
		{"changed", length(3, 7), info, "its digest is"},
		{"frame of nothing", length(3, 0), sign(info, length(3, 0)), "chunk 3 has a frame of 0 bytes"},
		{"frame too long", length(3, 1<<30), sign(info, length(3, 1<<30)), "chunk 3 has a frame of 1073741824 bytes"},
		{"gap", length(0, first+1), sign(info, length(0, first+1)), "its chunks end at"},
		{"information", good, Info{}, "its format is 0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := ReadTable(c.table, c.info); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// FuzzReadTable gives signed tables that a careless or bought signer might have made.
func FuzzReadTable(f *testing.F) {
	file, info := write(f, newParts())
	f.Add(tableOf(file, info), info.Table.Offset)
	f.Fuzz(func(t *testing.T, table []byte, offset int64) {
		i := sign(info, table)
		i.Table.Offset, i.BundleBytes = offset, offset+i.Table.Length
		index, err := ReadTable(table, i)
		if err != nil {
			return
		}
		end, count := int64(len(Magic)), 0
		for c := range index.Chunks() {
			if c.FileOffset != end || c.Bytes <= 0 || c.Bytes > ChunkBytes || c.FrameBytes > MaxFrameBytes {
				t.Fatalf("%+v follows %d", c, end)
			}
			end, count = end+int64(c.FrameBytes), count+1
		}
		if end != offset || count != index.Len() {
			t.Errorf("%d chunks end at %d", count, end)
		}
	})
}
