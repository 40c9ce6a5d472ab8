package fat

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stele-os/stele/internal/block"
)

// cutter is a device whose power goes after some writes: what follows fails, and is not written.
type cutter struct {
	*block.Memory
	left int
}

var errCut = errors.New("power cut")

func (c *cutter) WriteAt(p []byte, at int64) (int, error) {
	if c.left--; c.left < 0 {
		return 0, errCut
	}
	return c.Memory.WriteAt(p, at)
}

// TestLongLife changes a volume at random for a long time, with power cuts and repairs, and compares it with a map.
func TestLongLife(t *testing.T) {
	for seed := range uint64(2) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			l := life{t: t, random: rand.New(rand.NewPCG(seed, 1)), disk: memoryVolume(t, MinBytes, volumeFiles()), want: tree{}}
			l.want = treeOf(t, l.disk)
			for range 120 {
				l.step()
			}
			judge(t, l.disk, nil)
		})
	}
}

type life struct {
	t      *testing.T
	random *rand.Rand
	disk   *block.Memory
	want   tree
	number int
	dir    string // of the last change
}

// step does one call, cut short at times; the tree then is one of those before and after it.
func (l *life) step() {
	l.t.Helper()
	device := &cutter{l.disk, 1 << 30}
	if l.random.IntN(4) == 0 {
		device.left = l.random.IntN(20)
	}
	after := maps.Clone(l.want)
	err := l.change(open(l.t, device), after)
	if err != nil && !errors.Is(err, errCut) {
		l.t.Fatal(err)
	}
	v := open(l.t, l.disk)
	for _, dir := range []string{l.dir, "", linux} { // two names of a file are mended where they are, or Repair of another directory complains
		if _, e := v.Repair(dir); e != nil {
			l.t.Fatal(e)
		}
		if e := arranged(v, dir); e != nil {
			l.t.Fatal(e)
		}
	}
	switch got := treeOf(l.t, l.disk); {
	case maps.Equal(got, after):
		l.want = after
	case err == nil || !maps.Equal(got, l.want):
		l.t.Fatalf("%v: it holds %q, not %q", err, slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(after)))
	}
}

func (l *life) change(v *Volume, after tree) error {
	l.number++
	dir := []string{"", linux}[l.random.IntN(2)]
	l.dir = dir
	var mine []string
	for _, name := range names(l.t, v, dir) {
		if _, file := after[join(dir, name)]; file {
			mine = append(mine, name)
		}
	}
	name := fmt.Sprintf("stele_%d.%s+%d.efi", l.number, bytes.Repeat([]byte("x"), l.random.IntN(60)), l.random.IntN(4))
	switch choice := l.random.IntN(10); {
	case choice < 5 || len(mine) == 0:
		content := make([]byte, l.random.IntN(5000))
		for i := range content {
			content[i] = byte(l.random.Uint32())
		}
		after[join(dir, name)] = string(content)
		return v.Create(join(dir, name), int64(len(content)), bytes.NewReader(content))
	case choice < 8:
		from := mine[l.random.IntN(len(mine))]
		after[join(dir, name)] = after[join(dir, from)]
		delete(after, join(dir, from))
		return v.Rename(dir, from, name)
	default:
		from := mine[l.random.IntN(len(mine))]
		delete(after, join(dir, from))
		return v.Remove(join(dir, from))
	}
}
