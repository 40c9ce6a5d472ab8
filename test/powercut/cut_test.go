//go:build qemu

package powercut

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stele-os/stele/internal/block"
	"github.com/stele-os/stele/internal/bootmodel"
	"github.com/stele-os/stele/internal/dmlog"
	"github.com/stele-os/stele/internal/gpt"
	"github.com/stele-os/stele/internal/vm"
)

// turns is how often each class is chosen: what decides which version boots is most of it.
var turns = []string{classESP, classGPT, classVar, classESP, classSlot, classGPT, classESP, classVar, classESPData}

// TestPowerCuts: whenever the power goes in a scenario, a version that may boot does, it is the one the model says, and the machine comes into service by itself.
func TestPowerCuts(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	for _, s := range scenarios() {
		t.Run(s.name, func(t *testing.T) {
			base, log := l.record(t, s)
			classes := log.Classify(l.areas(t, base).of)
			for _, c := range tallies(log, classes) {
				t.Log(c)
			}
			l.prefixes(t, s, base, log, classes)
			if *orders {
				l.orders(t, s, base, log, classes)
			}
			for i, p := range log.Points(*points, *seed, classes, turns) {
				t.Run(fmt.Sprintf("cut %d", p.Entries), func(t *testing.T) {
					t.Parallel()
					disk := filepath.Join(l.folder(t, s.name), fmt.Sprintf("cut-%d.raw", p.Entries))
					if err := log.Replay(t.Context(), disk, base, p.Entries); err != nil {
						t.Fatal(err)
					}
					if l.cut(t, s, disk, p, *follow > 0 && i%*follow == *follow-1) {
						os.Remove(disk)
					}
				})
			}
			t.Logf("moments of %d operations are booted, seed %d", len(log.Entries), *seed)
		})
	}
}

// areas of a disk as its table is before the scenario.
func (l *lab) areas(t *testing.T, disk string) areas {
	t.Helper()
	d, err := block.OpenFile(disk)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	table, _, err := gpt.Decode(d, d.SizeBytes(), d.SectorSize())
	if err != nil {
		t.Fatal(err)
	}
	return areasOf(table, d.SizeBytes())
}

// outcome is what a machine did with a disk.
type outcome struct {
	// boots are the versions in the order in which they booted.
	boots []string
	// slots in the end.
	slots string
	// back is how long the machine took from power-on to service.
	back time.Duration
	// followed: it was updated after that.
	followed bool
}

// cut asks both judges about one disk.
func (l *lab) cut(t *testing.T, s scenario, disk string, p dmlog.Point, update bool) bool {
	expected := judge(t, l.model, disk)
	o, err := l.boot(t, s, disk, update)
	if err == nil && (expected.Err != nil || len(expected.Failed) > 0 || len(o.boots) == 0 || o.boots[0] != expected.Version || !s.mayBoot(o.boots[0])) {
		err = fmt.Errorf("it may boot %s", strings.Join(s.boots, ", "))
	}
	line := fmt.Sprintf("%6d  %-8s flushed=%-5t  model: %s (%s)  machine: %s  %s  %.0f s  updated=%t", p.Entries, p.Class, p.Flushed, expected.Version, expected.Entry,
		strings.Join(o.boots, ", "), o.slots, o.back.Seconds(), o.followed)
	if err != nil {
		t.Errorf("%s\n%v\nmodel: %s\ndisk: %s", line, err, expected, disk)
		return false
	}
	t.Log(line)
	return true
}

// judging: a model remembers what it has verified.
var judging sync.Mutex

func judge(t *testing.T, model *bootmodel.Model, disk string) bootmodel.Result {
	t.Helper()
	judging.Lock()
	defer judging.Unlock()
	d, err := block.OpenFile(disk)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	return model.Boot(d)
}

// boot boots a disk through firmware until a version is in service, for some updates it from there, and looks at the disk behind that.
func (l *lab) boot(t *testing.T, s scenario, disk string, update bool) (o outcome, err error) {
	t.Helper()
	dir := disk + ".run"
	m, err := vm.Start(context.WithoutCancel(t.Context()), l.literal(dir, disk, patience))
	if err != nil {
		return o, err
	}
	defer m.Close()
	defer func() {
		if err != nil {
			err = fmt.Errorf("%w\nconsole log: %s\nby hand: %s", err, m.ConsoleLog(), m.Command)
		}
	}()
	ctx, cancel := context.WithTimeout(t.Context(), bootTimeout)
	defer cancel()
	g, err := l.connect(ctx, m)
	if err != nil {
		return o, err
	}
	defer g.client.Close()
	status, err := g.settled(ctx, s.serves)
	o.boots, o.back = started(m), time.Since(m.Started)
	if err != nil {
		return o, err
	}
	o.slots = slots(status)
	if update {
		if err := g.update(ctx, next); err != nil {
			return o, fmt.Errorf("updating it: %w", err)
		}
		if _, err := g.settled(ctx, []string{next}); err != nil {
			return o, fmt.Errorf("updated: %w", err)
		}
		o.followed = true
	}
	m.Cut()
	if err := m.Console.Err(); err != nil {
		return o, err
	}
	if err := clean(disk); err != nil {
		return o, err
	}
	return o, os.RemoveAll(dir)
}
