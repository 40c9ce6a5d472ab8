package transfer

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stele-os/stele/agent/fault"
	"github.com/stele-os/stele/internal/verity"
)

func TestWrite(t *testing.T) {
	for _, blocks := range []int{1, 2, 255, 256, 257, 3000} {
		i := newImage(t, "1.1.0", rootOf(seeds(blocks)))
		p, s := newPlace(i), i.server()
		progress, err := install(t.Context(), s, i, p.slot(), Running{})
		if err != nil {
			t.Fatal(err)
		}
		i.mustBeIn(t, p)
		if s.opens != 3 {
			t.Errorf("%d blocks: %d requests, want table, verity and root", blocks, s.opens)
		}
		if want := int64(len(i.root) + len(i.verity)); progress.Done != want || progress.Total != want+int64(len(i.uki)) || progress.Fetched != s.bytes {
			t.Errorf("%d blocks: %+v, the source counts %d", blocks, progress, s.bytes)
		}
	}
}

func TestUKI(t *testing.T) {
	i := newImage(t, "1.1.0", rootOf(seeds(2)))
	s := i.server()
	var progress Progress
	b, err := Open(t.Context(), s, i.target, func(p Progress) { progress = p })
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // a second time, as after a failed write
		r := b.UKI(t.Context())
		got, err := io.ReadAll(r)
		if err != nil || !bytes.Equal(got, i.uki) || r.Close() != nil {
			t.Fatalf("%d bytes, %v", len(got), err)
		}
	}
	if s.opens != 3 || progress.Done != int64(len(i.uki)) {
		t.Errorf("%d requests, %+v", s.opens, progress)
	}
	s.file[100] ^= 1
	r := b.UKI(t.Context())
	defer r.Close()
	if got, err := io.ReadAll(r); err == nil || len(got) > 0 || !strings.Contains(err.Error(), "cannot open chunk at 0 of uki") {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

// TestResume breaks the line again and again: what is in the slot is not fetched twice, whatever ended the call before.
func TestResume(t *testing.T) {
	i := newImage(t, "1.1.0", rootOf(seeds(20*256)))
	p, s := newPlace(i), i.server()
	calls := 0
	for ; ; calls++ {
		s.budget = int64(len(i.file)) / 3
		_, err := install(t.Context(), s, i, p.slot(), Running{})
		if err == nil {
			break
		}
		if !errors.Is(err, errBroken) || fault.KindOf(err) != fault.Unavailable || calls > 20 {
			t.Fatal(err)
		}
	}
	i.mustBeIn(t, p)
	// Each call reads the table again, and loses at most the frames that were on their way.
	lost := int64(workers()*2+2) * int64(len(i.file)) / 20
	if most := int64(len(i.file)) + int64(calls)*(i.target.Info.Table.Length+lost); calls < 2 || s.bytes > most {
		t.Errorf("%d bytes in %d calls", s.bytes, calls)
	}
	before := s.bytes
	s.budget = -1
	if _, err := install(t.Context(), s, i, p.slot(), Running{}); err != nil || s.bytes-before != i.target.Info.Table.Length {
		t.Errorf("a whole slot: %d bytes, %v", s.bytes-before, err)
	}
}

// TestResumeFetchesOnlyWhatIsMissing: runs of missing chunks are one request each.
func TestResumeFetchesOnlyWhatIsMissing(t *testing.T) {
	i := newImage(t, "1.1.0", rootOf(seeds(12*256)))
	p, s := holding(i), i.server()
	for _, chunk := range []int{2, 3, 4, 9} {
		p.root.b[chunk<<20+5*verity.BlockSize] ^= 1
	}
	progress, err := install(t.Context(), s, i, p.slot(), Running{})
	if err != nil {
		t.Fatal(err)
	}
	i.mustBeIn(t, p)
	if s.opens != 3 || p.root.written != 4<<20 || p.verity.written != 0 || progress.Reused != progress.Done-4<<20 {
		t.Errorf("%d requests, %d bytes written, %+v", s.opens, p.root.written, progress)
	}
	p.verity.b[7000] ^= 1
	if _, err := install(t.Context(), s, i, p.slot(), Running{}); err != nil || p.verity.written != int64(len(i.verity)) {
		t.Errorf("torn tree: %d bytes written, %v", p.verity.written, err)
	}
	i.mustBeIn(t, p)
}

// TestSmallChangeIsCheap: three in a hundred blocks differ, in a row as a changed file's do, and everything behind them has moved. They lie in
// two of 32 chunks.
func TestSmallChangeIsCheap(t *testing.T) {
	old := seeds(32 * 256)
	changed := append(append(append([]uint64{}, old[:3000]...), make([]uint64, 250)...), old[3007:]...)
	for n := range 250 {
		changed[3000+n] = uint64(1_000_000 + n)
	}
	from, to := newImage(t, "1.0.0", rootOf(old)), newImage(t, "1.1.0", rootOf(changed[:32*256]))
	p, s := newPlace(to), to.server()
	progress, err := install(t.Context(), s, to, p.slot(), holding(from).running())
	if err != nil {
		t.Fatal(err)
	}
	to.mustBeIn(t, p)
	if chunks := (progress.Done - progress.Reused - int64(len(to.verity))) >> 20; chunks > 2 {
		t.Errorf("%d chunks are fetched", chunks)
	}
	t.Logf("%d of %d bytes fetched, %+v", s.bytes, len(to.file), progress)
}

// TestRunningSlotIsNotTrusted: whatever it holds, the result is right or there is none.
func TestRunningSlotIsNotTrusted(t *testing.T) {
	old := seeds(8 * 256)
	from, to := newImage(t, "1.0.0", rootOf(old)), newImage(t, "1.1.0", rootOf(append(old[300:], old[:300]...)))
	for name, spoil := range map[string]func(place){
		"root":       func(p place) { clear(p.root.b[1<<20 : 3<<20]) },
		"leaves":     func(p place) { clear(p.verity.b[3*4096 : 6*4096]) },
		"superblock": func(p place) { clear(p.verity.b[:512]) },
		"short":      func(p place) { p.root.b = p.root.b[:3<<20+77] },
		"no tree":    func(p place) { p.verity.b = nil },
	} {
		running, p := holding(from), newPlace(to)
		spoil(running)
		if _, err := install(t.Context(), to.server(), to, p.slot(), running.running()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		to.mustBeIn(t, p)
	}
}

func TestCancel(t *testing.T) {
	i := newImage(t, "1.1.0", rootOf(seeds(8*256)))
	p := newPlace(i)
	ctx, cancel := context.WithCancel(t.Context())
	p.root.fail = func(int64) error { cancel(); return nil }
	if _, err := install(ctx, i.server(), i, p.slot(), Running{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestChunkFromBothSlots: of a chunk whose beginning is in the slot, only the rest is written, from the running slot.
func TestChunkFromBothSlots(t *testing.T) {
	i := newImage(t, "1.1.0", rootOf(seeds(4*256)))
	running, p, s := holding(i), holding(i), i.server()
	p.root.b[2<<20+5*verity.BlockSize] ^= 1
	if _, err := install(t.Context(), s, i, p.slot(), running.running()); err != nil {
		t.Fatal(err)
	}
	i.mustBeIn(t, p)
	if s.bytes != i.target.Info.Table.Length || p.root.written != 251*verity.BlockSize {
		t.Errorf("%d bytes fetched, %d written", s.bytes, p.root.written)
	}
}
