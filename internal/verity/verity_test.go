package verity

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stele-os/stele/internal/oracle"
)

var (
	testSalt = bytes.Repeat([]byte{0x5a, 0x01}, 16)
	testUUID = [16]byte{1, 2, 3, 4, 5, 6, 0x87, 8, 0x89, 10, 11, 12, 13, 14, 15, 16}
)

// writerAt is memory of a fixed size.
type writerAt struct{ b []byte }

func (w *writerAt) WriteAt(p []byte, off int64) (int, error) {
	return copy(w.b[off:], p), nil
}

func testData(blocks int64) []byte {
	data := make([]byte, blocks*BlockSize)
	r := rand.NewChaCha8([32]byte{byte(blocks)})
	io.ReadFull(r, data)
	return data
}

func format(t testing.TB, data, salt []byte) ([]byte, Digest) {
	t.Helper()
	w := &writerAt{make([]byte, HashDeviceBytes(int64(len(data))))}
	root, err := WriteTree(context.Background(), w, bytes.NewReader(data), int64(len(data)), salt)
	if err != nil {
		t.Fatal(err)
	}
	if err := WriteSuperblock(w, Superblock{UUID: testUUID, DataBlocks: int64(len(data)) / BlockSize, Salt: salt}); err != nil {
		t.Fatal(err)
	}
	return w.b, root
}

func TestSameBytesAsVeritysetup(t *testing.T) {
	for _, blocks := range []int64{1, 2, 127, 128, 129, 1000, 16384, 16385} {
		t.Run(fmt.Sprint(blocks), func(t *testing.T) {
			dir := t.TempDir()
			data := testData(blocks)
			dataPath, hashPath := filepath.Join(dir, "data"), filepath.Join(dir, "hash")
			if err := os.WriteFile(dataPath, data, 0o644); err != nil {
				t.Fatal(err)
			}
			out := oracle.Run(t, "veritysetup", "format", "--salt", hex.EncodeToString(testSalt),
				"--uuid", "01020304-0506-8708-890a-0b0c0d0e0f10", dataPath, hashPath)
			want, err := os.ReadFile(hashPath)
			if err != nil {
				t.Fatal(err)
			}
			got, root := format(t, data, testSalt)
			// veritysetup writes only the 512 bytes of a superblock that has no tree behind it.
			if !bytes.Equal(got[:len(want)], want) || len(bytes.Trim(got[len(want):], "\x00")) > 0 {
				t.Fatalf("%d bytes differ from veritysetup's %d", len(got), len(want))
			}
			m := regexp.MustCompile(`Root hash:\s+(\w+)`).FindStringSubmatch(out)
			if m == nil || m[1] != hex.EncodeToString(root[:]) {
				t.Fatalf("root hash is %x, veritysetup says %v", root, m)
			}
		})
	}
}

func TestVerify(t *testing.T) {
	data := testData(129)
	hash, root := format(t, data, testSalt)
	verify := func(hash, data []byte, root Digest) error {
		_, err := Verify(context.Background(), bytes.NewReader(hash), bytes.NewReader(data), root)
		return err
	}
	if err := verify(hash, data, root); err != nil {
		t.Fatal(err)
	}
	flipped := func(b []byte, at int) []byte {
		c := bytes.Clone(b)
		c[at] ^= 1
		return c
	}
	for name, err := range map[string]error{
		"data":      verify(hash, flipped(data, 128*BlockSize+7), root),
		"leaf hash": verify(flipped(hash, 2*BlockSize), data, root),
		"top hash":  verify(flipped(hash, BlockSize), data, root),
		"padding":   verify(flipped(hash, 4*BlockSize-1), data, root),
		"salt":      verify(flipped(hash, 88), data, root),
		"root":      verify(hash, data, Digest{}),
	} {
		if !errors.Is(err, ErrMismatch) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := verify(hash, data[:len(data)-1], root); !errors.Is(err, io.EOF) {
		t.Errorf("short data: %v", err)
	}
}

func TestWriteTreeStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	data := testData(300)
	_, err := WriteTree(ctx, &writerAt{make([]byte, HashDeviceBytes(int64(len(data))))}, bytes.NewReader(data), int64(len(data)), nil)
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestCreateArgument(t *testing.T) {
	table := Table{DataDevice: "PARTUUID=a", HashDevice: "PARTUUID=b", DataBlocks: 3, RootHash: Digest{0xab}, Salt: []byte{1, 2}}
	want := `dm-mod.create="root,,,ro,0 24 verity 1 PARTUUID=a PARTUUID=b 4096 4096 3 1 sha256 ab` +
		`00000000000000000000000000000000000000000000000000000000000000 0102 1 panic_on_corruption"`
	if got := table.CreateArgument("root"); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func BenchmarkWriteTree(b *testing.B) {
	data := testData(1 << 14)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		format(b, data, testSalt)
	}
}
