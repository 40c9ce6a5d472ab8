package transfer

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/stele-os/stele/agent/fault"
	"github.com/stele-os/stele/internal/verity"
)

// TestLyingServer: each byte of the file that is not what was signed is found before anything of it is kept.
func TestLyingServer(t *testing.T) {
	i := newImage(t, "1.1.0", rootOf(seeds(6*256)))
	table := int(i.target.Info.Table.Offset)
	for name, c := range map[string]struct {
		at   int
		want string
	}{
		"verity": {int(ukiFrames(i)) + 20, `cannot take bundle "targets/web.bundle" of the test's server: cannot open chunk at 0 of verity: its digest is `},
		"root":   {table - 5, `cannot take bundle "targets/web.bundle" of the test's server: cannot open chunk at 5242880 of root: its digest is `},
		"table":  {table + 5, `cannot take bundle "targets/web.bundle" of the test's server: cannot read chunk table of bundle "web_1.1.0_x86_64.bundle": its digest is `},
	} {
		s, p := i.server(), newPlace(i)
		s.file = bytes.Clone(s.file)
		s.file[c.at] ^= 1
		_, err := install(t.Context(), s, i, p.slot(), Running{})
		if err == nil || !strings.HasPrefix(err.Error(), c.want) || fault.KindOf(err) != fault.Precondition {
			t.Errorf("%s: %v", name, err)
		}
		for at := 0; at < len(i.root); at += verity.BlockSize {
			if got := p.root.b[at:][:verity.BlockSize]; !bytes.Equal(got, make([]byte, len(got))) && !bytes.Equal(got, i.root[at:][:len(got)]) {
				t.Fatalf("%s: the slot holds something else at %d", name, at)
			}
		}
		if _, err := install(t.Context(), i.server(), i, p.slot(), Running{}); err != nil {
			t.Errorf("%s, then an honest one: %v", name, err)
		}
		i.mustBeIn(t, p)
	}
}

func ukiFrames(i *image) (total int64) {
	b, _ := Open(context.Background(), i.server(), i.target, nil)
	for c := range b.chunks("uki") {
		total = c.FileOffset + int64(c.FrameBytes)
	}
	return total
}

// TestTreeOfAnotherRoot: signed, but not by someone who looked.
func TestTreeOfAnotherRoot(t *testing.T) {
	i := newImage(t, "1.1.0", rootOf(seeds(300)))
	other := newImage(t, "1.1.0", rootOf(seeds(301)[1:]))
	p := newPlace(i)
	i.target.Info.RootHash = other.target.Info.RootHash
	if _, err := install(t.Context(), i.server(), i, p.slot(), Running{}); !errors.Is(err, verity.ErrMismatch) || p.root.written > 0 {
		t.Errorf("%v, %d bytes written", err, p.root.written)
	}
	sum := sha256.Sum256(other.verity)
	i.target.Info.Verity.SHA256 = hex.EncodeToString(sum[:])
	if _, err := install(t.Context(), i.server(), i, p.slot(), Running{}); err == nil || !strings.Contains(err.Error(), "the digest of its hash tree is ") {
		t.Error(err)
	}
}

func TestSlotErrors(t *testing.T) {
	i := newImage(t, "1.1.0", rootOf(seeds(1000)))
	small := newPlace(i)
	small.root.b = small.root.b[:len(i.root)-1]
	_, err := install(t.Context(), i.server(), i, small.slot(), Running{})
	if err == nil || err.Error() != `cannot take bundle "targets/web.bundle": its root has 4096000 bytes, and the slot's partition 4095999` || fault.KindOf(err) != fault.Exhausted {
		t.Error(err)
	}
	boom := errors.New("input/output error")
	for _, at := range []int64{0, 2 << 20} {
		p := newPlace(i)
		p.root.fail = func(written int64) error {
			if written == at {
				return boom
			}
			return nil
		}
		_, err := install(t.Context(), i.server(), i, p.slot(), Running{})
		if !errors.Is(err, boom) || !strings.Contains(err.Error(), "cannot write root at byte ") || fault.KindOf(err) != fault.Internal {
			t.Error(err)
		}
		p.root.fail = nil
		if _, err := install(t.Context(), i.server(), i, p.slot(), Running{}); err != nil {
			t.Error(err)
		}
		i.mustBeIn(t, p)
	}
}

// unreadable is a device with bad sectors.
type unreadable struct {
	*flat
	from, to int64
}

func (u unreadable) ReadAt(p []byte, at int64) (int, error) {
	if at < u.to && at+int64(len(p)) > u.from {
		return int(max(0, u.from-at)), errors.New("input/output error")
	}
	return u.flat.ReadAt(p, at)
}

// TestUnreadableSlot: what cannot be read is missing, whether the running slot has it or not.
func TestUnreadableSlot(t *testing.T) {
	i := newImage(t, "1.1.0", rootOf(seeds(4*256)))
	for _, from := range []Running{{}, holding(i).running(), {Root: unreadable{holding(i).root, 2<<20 + 5000, 3 << 20}}} {
		p := holding(i)
		slot := Slot{unreadable{p.root, 1<<20 + 5000, 2<<20 + 9000}, p.verity}
		clear(p.root.b[1<<20+4096 : 2<<20+12288])
		if _, err := install(t.Context(), i.server(), i, slot, from); err != nil {
			t.Error(err)
		}
		i.mustBeIn(t, p)
	}
}
