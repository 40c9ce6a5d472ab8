//go:build qemu

package powercut

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	nodev1 "github.com/stele-os/stele/api/node/v1"
	"github.com/stele-os/stele/internal/vm"
	"github.com/stele-os/stele/operator/node"
	"github.com/stele-os/stele/test/faults"
	"github.com/stele-os/stele/test/qemu/machine"
)

// guest is a machine that runs, and who calls it.
type guest struct {
	*vm.VM
	lab    *lab
	client *node.Client
}

// attemptTimeout bounds one question; askEvery is between two.
const (
	attemptTimeout = 5 * time.Second
	askEvery       = 200 * time.Millisecond
)

// connect finds the machine by the key on its console.
func (l *lab) connect(ctx context.Context, m *vm.VM) (*guest, error) {
	line, err := m.Expect(ctx, `^stele: .*api: port \d+, fingerprint (SHA256:\S+)`)
	if err != nil {
		return nil, err
	}
	c, err := l.Client("guest", m.Address(faults.APIPort), line.Groups[1], "operator")
	return &guest{m, l, c}, err
}

// inService waits until one of the versions serves, for good.
func (g *guest) inService(ctx context.Context, t *testing.T, versions ...string) *nodev1.StatusResponse {
	t.Helper()
	s, err := g.settled(ctx, versions)
	if err != nil {
		t.Fatalf("%v; console log: %s", err, g.ConsoleLog())
	}
	return s
}

// settled waits until one of the versions is committed, content, and its container answers.
func (g *guest) settled(ctx context.Context, versions []string) (*nodev1.StatusResponse, error) {
	for {
		s, err := g.content(ctx, versions)
		if err == nil {
			return s, nil
		}
		if trouble := g.Console.Err(); trouble != nil {
			return nil, trouble
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("none of %q serves: %w: %w", versions, context.Cause(ctx), err)
		case <-g.Done():
			return nil, errors.New("QEMU has ended")
		case <-time.After(askEvery):
		}
	}
}

// content asks once.
func (g *guest) content(ctx context.Context, versions []string) (*nodev1.StatusResponse, error) {
	attempt, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	s, err := node.Ask(attempt, g.client.Machine.Status, &nodev1.StatusRequest{})
	if err != nil {
		return nil, err
	}
	r, u := s.GetRunning(), s.GetUpdate()
	switch {
	case !slices.Contains(versions, r.GetVersion()) || !r.GetCommitted():
		return nil, fmt.Errorf("running: %v", r)
	case u.GetActivity() != "idle" || u.GetError() != "":
		return nil, fmt.Errorf("update: %v", u)
	case s.GetHealth().GetPhase() != "running" || len(s.GetHealth().GetFailures()) > 0:
		return nil, fmt.Errorf("health: %v", s.GetHealth())
	}
	if err := g.lab.sane(s); err != nil {
		return nil, err
	}
	code, _, err := machine.Get(attempt, "http://"+g.Address(machine.DemoPort)+"/healthz")
	if err == nil && code != http.StatusOK {
		err = fmt.Errorf("the container answers %d", code)
	}
	return s, err
}

// sane: slots are what they may be on a machine that has settled.
func (l *lab) sane(s *nodev1.StatusResponse) error {
	for _, slot := range s.GetSlots() {
		built, known := l.versions[slot.GetVersion()]
		switch {
		case slot.GetRunning() && (slot.GetCondition() != "committed" || slot.GetVersion() != s.GetRunning().GetVersion()):
			return fmt.Errorf("running slot: %v", slot)
		case slot.GetCondition() == "damaged" || slot.GetCondition() == "trying":
			return fmt.Errorf("slot: %v", slot)
		case known && slot.GetRootHash() != built.Manifest.RootHash:
			return fmt.Errorf("version %s has the root hash %s: %v", slot.GetVersion(), built.Manifest.RootHash, slot)
		}
	}
	return nil
}

// slots is what they hold, for people.
func slots(s *nodev1.StatusResponse) string {
	var list []string
	for _, slot := range s.GetSlots() {
		list = append(list, fmt.Sprintf("%s: %s %s", slot.GetName(), slot.GetVersion(), slot.GetCondition()))
	}
	return strings.Join(list, ", ")
}

// update takes the machine to a version. A *node.RolledBackError says that it did not stay there.
func (g *guest) update(ctx context.Context, version string) error {
	s, err := node.Ask(ctx, g.client.Machine.Status, &nodev1.StatusRequest{})
	if err == nil {
		_, err = g.client.Stage(ctx, version, nil, func(*nodev1.Progress) {})
	}
	if err == nil {
		_, err = node.Ask(ctx, g.client.Updates.Apply, &nodev1.ApplyUpdateRequest{Version: version, Reason: "a test"})
	}
	if err != nil {
		return node.Explain("guest", err)
	}
	return g.client.WaitCommitted(ctx, version, s.GetBoots()[0].GetId(), func(node.Waiting) {})
}

var agentStarted = regexp.MustCompile(`^stele: .* (\S+), agent started`)

// started are the versions of the boots so far.
func started(m *vm.VM) (versions []string) {
	for _, line := range m.Console.Lines(0) {
		if groups := agentStarted.FindStringSubmatch(line.Text); groups != nil {
			versions = append(versions, groups[1])
		}
	}
	return versions
}
