//go:build qemu

package powercut

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	nodev1 "github.com/stele-os/stele/api/node/v1"
	"github.com/stele-os/stele/internal/sparse"
	"github.com/stele-os/stele/internal/vm"
	"github.com/stele-os/stele/operator/node"
)

// longestLife is when the power goes at the latest: an update is through by then, in emulation.
const longestLife = 40 * time.Second

// TestLive: one machine is updated and rolled back again and again, and its power is cut at any moment. It always comes back into service by itself, with the version that
// the model says.
func TestLive(t *testing.T) {
	if *live == 0 {
		t.Skip("not asked for: go test -live N, make test-powercut LIVE=N")
	}
	l := newLab(t)
	random := rand.New(rand.NewPCG(*seed, 1))
	disk := filepath.Join(l.dir, "live.raw")
	if err := sparse.Copy(t.Context(), disk, l.installed(t)); err != nil {
		t.Fatal(err)
	}
	for i := range *live + 1 {
		life := time.Duration(random.Int64N(int64(longestLife)))
		if i == *live {
			life = 0
		}
		if err := l.live(t, i, disk, life); err != nil {
			t.Fatalf("power-on %d: %v\ndisk: %s", i, err, disk)
		}
	}
}

// live powers the machine on, waits for service, gives it something to do, and cuts it after a while; without any, it looks at what is left on the disk.
func (l *lab) live(t *testing.T, round int, disk string, life time.Duration) (err error) {
	expected := judge(t, l.model, disk)
	m, err := vm.Start(context.WithoutCancel(t.Context()), l.literal(l.folder(t, fmt.Sprintf("live-%d", round)), disk, patience))
	if err != nil {
		return err
	}
	defer m.Close()
	defer func() {
		if err != nil {
			err = fmt.Errorf("%w\nmodel: %s\nconsole log: %s\nby hand: %s", err, expected, m.ConsoleLog(), m.Command)
		}
	}()
	ctx, cancel := context.WithTimeout(t.Context(), bootTimeout)
	defer cancel()
	g, err := l.connect(ctx, m)
	if err != nil {
		return err
	}
	defer g.client.Close()
	status, err := g.settled(ctx, []string{older, newer, next})
	if err != nil {
		return err
	}
	boots, back := started(m), time.Since(m.Started)
	if expected.Err != nil || len(expected.Failed) > 0 || boots[0] != expected.Version {
		return fmt.Errorf("it booted %q", boots)
	}
	what := "nothing"
	if life > 0 {
		what, err = g.cutWhile(ctx, status, life)
	} else {
		m.Cut()
		err = clean(disk)
	}
	t.Logf("%3d  boots %s, in service after %.0f s, %s; %s", round, strings.Join(boots, ", "), back.Seconds(), slots(status), what)
	return errors.Join(err, m.Console.Err())
}

// cutWhile asks the machine for the next thing and cuts its power in the middle. What is through before must have succeeded.
func (g *guest) cutWhile(ctx context.Context, s *nodev1.StatusResponse, life time.Duration) (what string, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	what, do := g.next(s)
	done := make(chan error, 1)
	go func() { done <- do(ctx) }()
	select {
	case <-time.After(life):
		g.Cut()
		cancel()
		<-done
		what += fmt.Sprintf(", cut after %.1f s", life.Seconds())
	case err = <-done:
		g.Cut()
		what += ", cut when it was through"
	}
	return what, err
}

// next is what is to be done with a machine: rollback, and from the older version an update to one that the other slot does not hold.
func (g *guest) next(s *nodev1.StatusResponse) (what string, do func(context.Context) error) {
	if s.GetRunning().GetVersion() != older {
		return "rollback", func(ctx context.Context) error {
			_, err := node.Ask(ctx, g.client.Updates.Rollback, &nodev1.RollbackUpdateRequest{Reason: "a test"})
			if err == nil {
				err = g.client.WaitCommitted(ctx, older, s.GetBoots()[0].GetId(), func(node.Waiting) {})
			}
			return err
		}
	}
	to := newer
	if slices.ContainsFunc(s.GetSlots(), func(slot *nodev1.Slot) bool { return slot.GetVersion() == newer && slot.GetCondition() != "writing" }) {
		to = next
	}
	return "update to " + to, func(ctx context.Context) error { return g.update(ctx, to) }
}
