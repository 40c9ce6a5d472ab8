package update

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stele-os/stele/agent/plan"
	"github.com/stele-os/stele/agent/state"
	"github.com/stele-os/stele/agent/system"
	"github.com/stele-os/stele/agent/update/gates"
	"github.com/stele-os/stele/agent/update/repository"
	"github.com/stele-os/stele/agent/update/slotstest"
	"github.com/stele-os/stele/api/v1alpha1"
	"github.com/stele-os/stele/internal/block"
)

// rig is a machine around a manager: its disk lives through restarts, everything else is new at each boot.
type rig struct {
	t    *testing.T
	disk *block.Memory
	dir  string
	repo *fakeRepository
	// boots counts them; running is the version of the present one.
	boots   int
	running slotstest.Version
	known   map[string]slotstest.Version

	// what the next boot finds and how its gates end
	crashes []system.Crash
	hung    bool
	// unreadable is what opening the disk says.
	unreadable error
	// firmware is what the machine's says.
	firmware firmware
	prove    func(ctx context.Context, o gates.Options) (gates.Verdict, error)

	*Manager
	machine *state.Machine
	end     func()
	mu      sync.Mutex
	log     []string
	restart string
	copied  []string
}

// newRig is a machine that runs 1.0.0 from the factory, with a repository that holds the others.
func newRig(t *testing.T, versions ...string) *rig {
	t.Helper()
	r := &rig{t: t, dir: t.TempDir(), repo: &fakeRepository{files: map[string][]byte{}}, known: map[string]slotstest.Version{}}
	for _, name := range append([]string{"1.0.0"}, versions...) {
		r.known[name] = slotstest.Make(t, name, slotstest.RootBytes)
	}
	for _, name := range versions {
		r.publish(r.known[name])
	}
	r.disk = slotstest.Factory(t, r.known["1.0.0"])
	r.prove = holds
	return r
}

// publish puts a version into the repository.
func (r *rig) publish(v slotstest.Version) {
	r.t.Helper()
	content, info := slotstest.Bundle(r.t, v)
	target := repository.Target{Path: "targets/" + info.TargetName(), Info: info}
	r.repo.files[target.Path] = content
	r.repo.targets.List = append(r.repo.targets.List, target)
	r.known[info.Version] = v
}

// boot starts the machine as the loader does and waits until its manager has settled.
func (r *rig) boot() {
	r.t.Helper()
	r.running = r.known[slotstest.Load(r.t, r.disk)]
	r.boots++
	r.machine = &state.Machine{}
	slot := "a"
	if r.running.Info.Version != "1.0.0" {
		slot = "b"
	}
	r.machine.Boot.Set(state.Boot{Version: r.running.Info.Version, RootHash: r.running.Info.RootHash, BootDisk: "/dev/vda", Slot: slot})
	r.machine.Storage.Set(state.Storage{VarDevice: "/dev/vda6"})
	r.machine.Desired.Set(plan.Desired{Update: plan.Update{Repository: "http://127.0.0.1/", Probation: 30 * time.Second, Deadline: 5 * time.Minute}})
	r.mu.Lock()
	r.log, r.restart = nil, ""
	r.mu.Unlock()
	r.Manager = New(r.options())
	r.run()
}

// run is the supervisor: it starts a manager that fails again.
func (r *rig) run() {
	ctx, cancel := context.WithCancel(r.t.Context())
	ended := make(chan struct{})
	manager := r.Manager
	go func() {
		defer close(ended)
		for ctx.Err() == nil {
			_ = contain(func() error { return manager.Run(ctx) })
			sleep(ctx, 30*time.Second)
		}
	}()
	r.end = func() {
		cancel()
		<-ended
		r.crashes, r.hung = nil, false
	}
	synctest.Wait()
}

// again ends the manager's Run and starts it anew, in the same boot.
func (r *rig) again() {
	r.end()
	r.run()
}

// reboot ends the present boot, without a word where nobody asked for it, and starts the next one.
func (r *rig) reboot() {
	r.t.Helper()
	r.end()
	r.boot()
}

func (r *rig) options() Options {
	boot, started := r.boots, time.Now()
	return Options{
		Machine: r.machine, Image: v1alpha1.ImageInfo{Name: "test", Version: r.running.Info.Version, Architecture: "x86_64", SecurityVersion: r.running.Info.SecurityVersion}, Dir: r.dir,
		Disk:     func(context.Context) (string, error) { return "/dev/vda", nil },
		Source:   func(plan.Update) (repository.Source, error) { return r.repo, nil },
		Shutdown: func(reason string) { r.mu.Lock(); r.restart = reason; r.mu.Unlock() },
		Logf: func(format string, args ...any) {
			r.mu.Lock()
			r.log = append(r.log, fmt.Sprintf(format, args...))
			r.mu.Unlock()
		},
		SinceStart: func() time.Duration { return 5*time.Second + time.Since(started) },
		do: effects{
			trust: r.repo, random: rand.NewChaCha8([32]byte{}),
			open: func(string) (device, error) {
				if r.unreadable != nil {
					return nil, r.unreadable
				}
				return opened{r.disk}, nil
			},
			copyState:     func(from, to string) error { r.copied = append(r.copied, from+" to "+to); return nil },
			prove:         r.prove,
			bootID:        func() (string, error) { return fmt.Sprintf("boot-%d", boot), nil },
			crashes:       func() ([]system.Crash, error) { return r.crashes, nil },
			clearCrashes:  func() error { return nil },
			watchdogReset: func() bool { return r.hung },
			firmware:      func() firmware { return r.firmware },
		},
	}
}

// said fails unless a line of the log holds the words.
func (r *rig) said(words string) {
	r.t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if !strings.Contains(strings.Join(r.log, "\n"), words) {
		r.t.Errorf("nothing says %q:\n%s", words, strings.Join(r.log, "\n"))
	}
}

// slots is what is published of them: "a committed 1.0.0, b staged 1.1.0".
func (r *rig) shows(want string) {
	r.t.Helper()
	u, _ := r.machine.Update.Get()
	var list []string
	for _, s := range u.Slots {
		list = append(list, strings.TrimSpace(fmt.Sprintf("%s %s %s", s.Name, s.State, s.Version)))
	}
	if got := strings.Join(list, ", "); got != want {
		r.t.Errorf("the slots are %s, not %s", got, want)
	}
}

// restarts fails unless a restart was asked for with these words.
func (r *rig) restarts(words string) {
	r.t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if !strings.Contains(r.restart, words) || words == "" && r.restart != "" {
		r.t.Errorf("the restart is for %q, not %q", r.restart, words)
	}
}

// story is the story of a boot, 0 for the present one.
func (r *rig) story(n int) state.BootStory {
	r.t.Helper()
	list, _ := r.machine.Boots.Get()
	if n >= len(list) {
		r.t.Fatalf("%d stories are told, not %d", len(list), n+1)
	}
	return list[n]
}

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

type opened struct{ *block.Memory }

func (opened) Close() error { return nil }

// The ways in which gates end.
func holds(context.Context, gates.Options) (gates.Verdict, error) {
	return gates.Verdict{Decision: gates.Commit}, nil
}

func breaks(_ context.Context, o gates.Options) (gates.Verdict, error) {
	o.Publish([]state.Gate{{Name: "network", State: gates.Waiting, Reason: "the network is not up"}}, time.Now())
	return gates.Verdict{Decision: gates.Reject, Reason: "the network is not up"}, nil
}

func waits(ctx context.Context, _ gates.Options) (gates.Verdict, error) {
	<-ctx.Done()
	return gates.Verdict{}, ctx.Err()
}
