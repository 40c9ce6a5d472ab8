// Package update brings new versions onto the machine and lets them prove themselves: what the API asks for, what a boot finds, and when it is time to
// go back. It is the only one that changes boot disk and boot entries while the machine runs.
//
//	repository ─> select ─┐                                                      ┌─ gates held ─> Commit
//	push ─────────────────┴─> slots.Begin ─> transfer ─> slots.Seal ─> Apply ─boot─┤
//	                          (resumed by content)      (staged)      (armed)     └─ not in time ─> Reject ─boot─> the version before
//
// It decides little itself: what the slots hold is slots.Observe's, which version fits repository.Select's, whether a version may stay
// gates.Run's, what happened at the last boots story.Explain's. It owns the order, the records that must survive a restart, and the goroutines.
//
// Invariants:
//   - One action at a time has the disk; a second one is refused with the name of the first (TestOneActionAtATime).
//   - What the disk shows decides; records under /var only say who asked and why. Where they cannot be written, every action still works but the
//     application that is to wait for a word, and what is not kept is said (TestWithoutRecords).
//   - A version that was rejected is taken again only by its name (TestRejectedVersionByName).
//   - A machine that cannot go back does not restart for a gate that does not hold: it says so and stays reachable (TestNowhereToGo).
//
// A record of "what is staged" beside the slots was rejected: after a power cut the two could be of different minds.
package update

import (
	"context"
	"sync"
	"time"

	"github.com/stele-os/stele/agent/plan"
	"github.com/stele-os/stele/agent/server"
	"github.com/stele-os/stele/agent/state"
	"github.com/stele-os/stele/agent/update/repository"
	"github.com/stele-os/stele/agent/update/slots"
	"github.com/stele-os/stele/agent/update/story"
	"github.com/stele-os/stele/api/v1alpha1"
)

// Dir is where a machine keeps what the manager must not forget.
const Dir = "/var/lib/stele"

// Options of New. Machine, Image, Disk and Shutdown are the caller's to give.
type Options struct {
	Machine *state.Machine
	Image   v1alpha1.ImageInfo
	// Disk waits for the boot disk and returns its device, "" where the machine has none. From then on nobody else writes to partition table
	// or ESP: growing the disk has ended.
	Disk func(ctx context.Context) (string, error)
	// Root is the image's root of trust (v1alpha1.UpdateRootPath); empty: the machine takes no versions.
	Root []byte
	// Dir for records. Empty: Dir.
	Dir string
	// Source of versions that a document names; one with a method Close is closed. nil: by HTTP.
	Source func(plan.Update) (repository.Source, error)
	// Shutdown asks for a restart and returns at once.
	Shutdown func(reason string)
	// Logf writes to console and log. nil: nobody hears.
	Logf func(format string, args ...any)
	// Exec runs a command in a container, for gates. nil: such gates fail.
	Exec func(ctx context.Context, container string, command []string) (int, error)
	// Failures are what of the agent is out of order; it is a gate.
	Failures *state.Value[[]string]
	// Now is the clock, SinceStart the time since the kernel started. nil: the machine's.
	Now        func() time.Time
	SinceStart func() time.Duration

	do effects
}

// Manager implements server.Updates.
type Manager struct {
	o     Options
	trust trust
	// trustErr says why there is no trust.
	trustErr error
	// confirmed is who gave the word that a version on probation may wait for.
	confirmed state.Value[string]

	mu sync.Mutex
	// life is of the Run under way, once it has come so far that actions may begin.
	life *life
	// busy is the action that has the disk; free is closed when it ends.
	busy string
	free chan struct{}
	// trouble is why the last Run could not start, nil where it could.
	trouble error
	// damage of the disk that keeps versions from being staged, nil for none.
	damage error
	// floor is the security version below which nothing is staged.
	floor int64
	// down: an action has asked for a restart.
	down bool
	// staging under way, nil for none.
	staging *staging
	// checking is the check under way, nil for none.
	checking *checking
	proving  bool

	path    string // of the boot disk
	slots   [2]slots.Slot
	records records
	book    *story.Book
}

var _ server.Updates = (*Manager)(nil)

// life is what goroutines of one Run share.
type life struct {
	ctx   context.Context
	owned sync.WaitGroup
}

// New makes a Manager; nothing runs yet. A root of trust that cannot be used is an error of every action that needs it.
func New(o Options) *Manager {
	o = o.complete()
	m := &Manager{o: o, records: records{dir: o.Dir + "/update"}}
	m.trust, m.trustErr = openTrust(o)
	return m
}
