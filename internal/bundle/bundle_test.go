package bundle

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stele-os/stele/internal/verity"
)

// parts of one bundle: a UKI shorter than a chunk, a root of compressible, incompressible and empty chunks.
type parts struct{ uki, verity, root []byte }

func newParts() parts {
	random := rand.NewChaCha8([32]byte{1})
	noise := make([]byte, ChunkBytes+4096)
	random.Read(noise)
	text := bytes.Repeat([]byte("a line that repeats\n"), 3*ChunkBytes/20)
	root := bytes.Join([][]byte{text[:2*ChunkBytes+512], noise, make([]byte, 17*ChunkBytes+4096-512)}, nil)
	return parts{uki: text[:100_001], verity: noise[:verity.HashDeviceBytes(int64(len(root)))], root: root}
}

func (p parts) sources() Sources {
	return Sources{
		UKI:    Source{bytes.NewReader(p.uki), int64(len(p.uki))},
		Verity: Source{iotest.HalfReader(bytes.NewReader(p.verity)), int64(len(p.verity))},
		Root:   Source{bytes.NewReader(p.root), int64(len(p.root))},
	}
}

func (p parts) of(name PartName) []byte {
	return map[PartName][]byte{UKI: p.uki, Verity: p.verity, Root: p.root}[name]
}

var newInfo = Info{Name: "demo", Version: "1.2.3", Architecture: "x86_64", RootHash: strings.Repeat("5e", 32)}

func write(t testing.TB, p parts) ([]byte, Info) {
	t.Helper()
	var file bytes.Buffer
	info, err := Write(context.Background(), &file, p.sources(), newInfo)
	if err != nil {
		t.Fatal(err)
	}
	return file.Bytes(), info
}

func tableOf(file []byte, info Info) []byte {
	return file[info.Table.Offset : info.Table.Offset+info.Table.Length]
}

// TestRoundTrip reads a bundle as a machine does: information, table, then frame by frame.
func TestRoundTrip(t *testing.T) {
	p := newParts()
	file, info := write(t, p)
	if int64(len(file)) != info.BundleBytes || string(file[:len(Magic)]) != Magic {
		t.Errorf("%d bytes beginning with %q, information says %d", len(file), file[:len(Magic)], info.BundleBytes)
	}
	custom, err := info.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if again, err := DecodeInfo(custom); err != nil || again != info {
		t.Errorf("information came back as %+v, %v", again, err)
	}
	index, err := ReadTable(tableOf(file, info), info)
	if err != nil {
		t.Fatal(err)
	}
	got, buffer, count := map[PartName][]byte{}, make([]byte, 0, ChunkBytes), 0
	for c := range index.Chunks() {
		if c.PartOffset != int64(len(got[c.Part])) {
			t.Fatalf("chunk %d of %s is at %d", count, c.Part, c.PartOffset)
		}
		plain, err := c.Open(file[c.FileOffset:c.FileOffset+int64(c.FrameBytes)], buffer)
		if err != nil {
			t.Fatal(err)
		}
		got[c.Part] = append(got[c.Part], plain...)
		count++
	}
	for _, name := range []PartName{UKI, Verity, Root} {
		sum := sha256.Sum256(p.of(name))
		if !bytes.Equal(got[name], p.of(name)) || info.Part(name).SHA256 != hex.EncodeToString(sum[:]) {
			t.Errorf("%s did not come back", name)
		}
	}
	if count != index.Len() || index.Len() != 23 {
		t.Errorf("%d chunks, index has %d", count, index.Len())
	}
}

func TestSameInputsSameBytes(t *testing.T) {
	first, info := write(t, newParts())
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	if again, infoAgain := write(t, newParts()); !bytes.Equal(first, again) || info != infoAgain {
		t.Error("the bundle depends on the number of processors")
	}
}

func TestWriteRefuses(t *testing.T) {
	full := errors.New("disk full")
	for _, c := range []struct {
		name   string
		change func(*Sources, *Info)
		want   string
	}{
		{"short part", func(s *Sources, _ *Info) { s.Root.Bytes += 4096 }, `cannot write bundle "demo_1.2.3_x86_64.bundle": root: it ends 4096 bytes too early`},
		{"long part", func(s *Sources, _ *Info) { s.UKI.Bytes-- }, "uki: it goes on behind 100000 bytes"},
		{"broken part", func(s *Sources, _ *Info) { s.Verity.Reader = iotest.ErrReader(full) }, "verity: disk full"},
		{"empty part", func(s *Sources, _ *Info) { s.UKI = Source{strings.NewReader(""), 0} }, "uki.bytes: 0 is not from 1"},
		{"other tree", func(s *Sources, _ *Info) { s.Verity = Source{strings.NewReader("x"), 1} }, "verity.bytes: 1 is not what a root of"},
		{"version", func(_ *Sources, i *Info) { i.Version = "1+2" }, `version: "1+2" is no version`},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, info := newParts().sources(), newInfo
			c.change(&s, &info)
			if _, err := Write(t.Context(), &bytes.Buffer{}, s, info); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if _, err := Write(stopped, &bytes.Buffer{}, newParts().sources(), newInfo); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v", err)
	}
}
