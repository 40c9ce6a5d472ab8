package faults

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"time"

	nodev1 "github.com/stele-os/stele/api/node/v1"
	"github.com/stele-os/stele/operator/node"
	"github.com/stele-os/stele/test/qemu/machine"
)

// attemptTimeout is for one question: what a machine that is down was asked is lost in QEMU's network.
const attemptTimeout = 5 * time.Second

// InService waits until the version serves: the API names it, in another boot than before (empty: whichever), and the container answers. A machine that goes
// down is not asked before its console says that it is there: what it is asked in between would wait for it, and keep it from serving then.
func (m *Machine) InService(ctx context.Context, version, before string) (*nodev1.StatusResponse, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, fmt.Errorf("version %s does not serve within %s", version, timeout))
	defer cancel()
	if before != "" {
		if err := m.restarted(ctx, version); err != nil {
			return nil, err
		}
	}
	last := errors.New("nothing was asked")
	for {
		status, err := m.once(ctx, version, before)
		if err == nil {
			return status, nil
		}
		if ctx.Err() == nil {
			last = err
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("%w: %w\n%s", context.Cause(ctx), last, m.Tail(20))
		case <-m.Done():
			return nil, fmt.Errorf("QEMU has ended\n%s", m.Tail(20))
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// restarted waits for a boot that has not begun yet.
func (m *Machine) restarted(ctx context.Context, version string) error {
	line, err := m.ExpectFrom(ctx, m.Console.Next(), `^stele: .*demo `+regexp.QuoteMeta(version)+`, agent started`)
	if err == nil {
		_, err = m.ExpectFrom(ctx, line.Index, `^stele: .*container demo: running ready`)
	}
	return err
}

// once asks once. An empty version is whichever.
func (m *Machine) once(ctx context.Context, version, before string) (*nodev1.StatusResponse, error) {
	client, err := m.client(ctx)
	if err != nil {
		return nil, err
	}
	attempt, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	status, err := node.Ask(attempt, client.Machine.Status, &nodev1.StatusRequest{})
	switch {
	case err != nil:
		return nil, err
	case len(status.GetBoots()) == 0 || status.Boots[0].GetId() == before:
		return nil, errors.New("it has not restarted")
	case version != "" && status.GetRunning().GetVersion() != version:
		return nil, fmt.Errorf("version %s is running", status.GetRunning().GetVersion())
	}
	code, _, err := machine.Get(attempt, "http://"+m.Address(machine.DemoPort)+"/healthz")
	if err == nil && code != http.StatusOK {
		err = fmt.Errorf("the container answers %d", code)
	}
	return status, err
}
