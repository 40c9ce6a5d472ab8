package slots

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"runtime/debug"
	"sync/atomic"
	"testing"

	"github.com/stele-os/stele/internal/block"
	"github.com/stele-os/stele/internal/bootmodel"
	"github.com/stele-os/stele/internal/powercut"
)

var everyState = flag.Bool("every-state", false, "go on from every state after a power cut, not from a sample")

const (
	// resumeEvery state of a scenario is repaired and gone on from; of few states all are.
	resumeEvery, fewStates = 128, 64
	// nestEvery of those, the power goes a second time while the machine goes on.
	nestEvery = 24
)

// judge is the machine that is given every disk. It knows all versions, so that any other byte of a kernel is noticed.
type judge struct {
	versions
	machine *bootmodel.Model
	seen    int
	resumed int
	// states of second power cuts.
	nested int
}

func newJudge(v versions) *judge {
	j := &judge{versions: v, machine: bootmodel.New()}
	for _, known := range []version{v.v0, v.v1, v.v2} {
		j.machine.Know(known.UKI)
	}
	return j
}

func (v versions) named(name string) version {
	for _, known := range []version{v.v0, v.v1, v.v2} {
		if known.Info.Version == name {
			return known
		}
	}
	return version{}
}

// boots says which version boots, or why the disk is no good: nothing boots, or something that may not, or after more failed tries than may be.
func (j *judge) boots(c cut, disk block.Device) (version, error) {
	r := j.machine.Boot(disk)
	if r.Err != nil {
		return version{}, fmt.Errorf("the machine is dead: %s", r)
	}
	booted := j.named(r.Version)
	allowed := r.Version == c.running.Info.Version
	for _, other := range c.boots {
		allowed = allowed || r.Version == other.Info.Version
	}
	if !allowed || r.RootHash != booted.Info.RootHash || len(r.Failed) > c.tries {
		return version{}, errors.New(r.String())
	}
	return booted, nil
}

// visit judges one disk, and from time to time lets the machine go on from there.
func (j *judge) visit(c cut, disk *block.Memory) error {
	booted, err := j.boots(c, disk)
	if err != nil {
		return err
	}
	if j.seen++; j.seen > fewStates && j.seen%resumeEvery != 0 && !*everyState {
		return nil
	}
	if err := whole(disk, booted, c.tries); err != nil {
		return err
	}
	if j.resumed++; j.resumed%nestEvery == 0 {
		if err := j.nest(c, disk, booted); err != nil {
			return err
		}
		n, err := j.loader(c, disk, loaderTries)
		if j.nested += n; err != nil {
			return err
		}
	}
	return j.resume(c, disk, booted)
}

// whole: a slot that has a boot entry holds all of its version, whether the loader would choose it now or not.
func whole(disk block.Device, booted version, tries int) error {
	d, err := openDisk(disk, booted)
	if err != nil {
		return err
	}
	_, other, err := d.look()
	if err != nil || other.Entry == "" || tries > 0 {
		return err
	}
	return d.verify(context.Background(), other.Name, other.RootHash)
}

// resume lets the machine that booted v go on, and says what is wrong afterwards.
func (j *judge) resume(c cut, disk *block.Memory, v version) error {
	if err := goOn(c, disk, v); err != nil {
		return err
	}
	if r := j.machine.Boot(disk); r.Version != c.to.Info.Version || len(r.Failed) > c.tries {
		return fmt.Errorf("after going on: %s", r)
	}
	return nil
}

func goOn(c cut, disk block.Device, v version) error {
	d, err := openDisk(disk, v)
	if err != nil {
		return err
	}
	if _, err := d.Repair(); err != nil {
		return fmt.Errorf("repair: %w", err)
	}
	if err := c.goOn(d, v); err != nil {
		return fmt.Errorf("going on with %s: %w", v.Info.Version, err)
	}
	return nil
}

// nest cuts the power again while the machine goes on.
func (j *judge) nest(c cut, disk *block.Memory, v version) error {
	recorder := powercut.Record(disk.Clone())
	if err := goOn(c, recorder, v); err != nil {
		return err
	}
	second := c
	second.boots = append([]version{c.to}, c.boots...)
	stats, err := powercut.Explore(disk, recorder.Log(), powercut.Options{MaxReorderings: 8, MaxSectors: 2}, func(s powercut.State) error {
		_, err := j.boots(second, s.Disk)
		return err
	})
	j.nested += stats.States
	return err
}

// explore cuts the power at every write of c.
func (j *judge) explore(c cut) (powercut.Stats, error) {
	log, err := c.record()
	if err != nil {
		return powercut.Stats{}, err
	}
	options := powercut.Options{Torn: true, MaxReorderings: 48}
	return powercut.Explore(c.base, log, options, func(s powercut.State) error { return j.visit(c, s.Disk) })
}

// TestPowerCuts cuts the power at every write of everything that is ever written to the boot disk: after every prefix, after reorderings within a
// flush window, and with torn sectors, the machine boots the version before or after, whole. From there it goes on, and the power goes again.
func TestPowerCuts(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(800)) // disks by the thousand, each gone at once
	v := makeVersions(t)
	var states, resumed, nested atomic.Int64
	t.Run("", func(t *testing.T) {
		for _, c := range cuts(t, v) {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				j := newJudge(v)
				stats, err := j.explore(c)
				if err != nil {
					t.Error(err)
				}
				t.Log(stats)
				states.Add(int64(stats.States))
				resumed.Add(int64(j.resumed))
				nested.Add(int64(j.nested))
			})
		}
	})
	t.Logf("%d states after a power cut, %d after a second one; gone on from %d", states.Load(), nested.Load(), resumed.Load())
	if all := states.Load() + nested.Load(); all < 20_000 {
		t.Errorf("only %d states were looked at", all)
	}
}
