package faults

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	nodev1 "github.com/stele-os/stele/api/node/v1"
	"github.com/stele-os/stele/operator/node"
	"github.com/stele-os/stele/test/qemu/machine"
)

// Refusing are the bad updates that never begin: the machine says why, and is as it was. One machine goes through them in this order (Fenced).
func Refusing() []Row {
	return []Row{
		{Class: "unsigned bundle, pushed", Run: refused(pushForeign), Reason: `signature|signed|threshold`, Console: `error: update: .*(signature|signed|threshold)`},
		{Class: "unsigned bundle, pulled", Run: refused(pullForeign), Reason: `signature|signed|threshold`, Console: `error: update: .*(signature|signed|threshold)`},
		{Class: "slot too small", Run: refused(stageTooLarge), Reason: `its root needs \d+ bytes, slot b has \d+`, Console: `error: update: .*its root needs`},
		{Class: "ESP full", Run: refused(stageFine), Reason: `its boot entry needs \d+ bytes, the ESP has \d+`, Console: `error: update: .*its boot entry needs`},
		{Class: "rollback without a version", Run: refused(rollBack), Reason: `cannot roll back: slot b holds no committed version`},
		{Class: "nothing staged", Run: refused(func(ctx context.Context, m *Machine) error { return m.Apply(ctx, "") }), Reason: `cannot apply: slot b is empty; stage a version first`},
	}
}

// Fenced starts the machine for Refusing: its ESP is full.
func (l *Lab) Fenced(ctx context.Context, dir string, log func(string, ...any)) (*Machine, error) {
	return l.Start(ctx, Setting{Dir: dir, Log: log, Prepare: fillESP})
}

// refused is the way of what must fail and change nothing.
func refused(attempt func(context.Context, *Machine) error) func(context.Context, *Machine) (Outcome, error) {
	return func(ctx context.Context, m *Machine) (o Outcome, err error) {
		before, err := m.Status(ctx)
		if err != nil {
			return o, err
		}
		o.Fault = time.Now()
		refusal := attempt(ctx, m)
		if refusal == nil {
			return o, errors.New("it was not refused")
		}
		o.Reason = refusal.Error()
		after, err := m.InService(ctx, Good, "")
		if err != nil {
			return o, err
		}
		o.Back = time.Now()
		return o, unchanged(before, after)
	}
}

// unchanged compares what the slots hold, and the boot.
func unchanged(before, after *nodev1.StatusResponse) error {
	if was, is := fmt.Sprint(before.GetSlots()), fmt.Sprint(after.GetSlots()); was != is {
		return fmt.Errorf("the slots were %s, and are %s", was, is)
	}
	if was, is := before.GetBoots()[0].GetId(), after.GetBoots()[0].GetId(); was != is {
		return fmt.Errorf("it has restarted: %v", after.GetBoots())
	}
	return nil
}

// foreign is a version of the other site.
const foreign = "1.3.0"

func pushForeign(ctx context.Context, m *Machine) error {
	if err := m.lab.PublishForeign(ctx, Version(foreign)); err != nil {
		return nil
	}
	repository, err := node.OpenRepository(m.lab.Foreign.Repository())
	if err != nil {
		return nil
	}
	defer repository.Close()
	_, err = m.Client.Stage(ctx, "", repository, func(*nodev1.Progress) {})
	return node.Explain("machine", err)
}

func pullForeign(ctx context.Context, m *Machine) error {
	m.Web.Serve(m.lab.Foreign.Handler())
	defer m.Web.Serve(m.lab.Handler())
	return m.Stage(ctx, "")
}

func stageTooLarge(ctx context.Context, m *Machine) error {
	if _, err := m.lab.PublishVersion(ctx, tooLarge); err != nil {
		return nil
	}
	return m.Stage(ctx, tooLarge.Number)
}

func stageFine(ctx context.Context, m *Machine) error {
	if _, err := m.lab.PublishVersion(ctx, fine); err != nil {
		return nil
	}
	return m.Stage(ctx, fine.Number)
}

func rollBack(ctx context.Context, m *Machine) error {
	_, err := node.Ask(ctx, m.Client.Updates.Rollback, &nodev1.RollbackUpdateRequest{})
	return node.Explain("machine", err)
}

// varFull: a container takes all room of /var. The machine says so where it needs room, and goes on serving; when there is room again, the staged version
// starts, and proves itself.
func varFull(ctx context.Context, m *Machine) (o Outcome, err error) {
	if _, err := m.staged(ctx, fine); err != nil {
		return o, err
	}
	if err := m.ask(ctx, "/fill?path=/data/filler"); err != nil {
		return o, err
	}
	o, err = refused(func(ctx context.Context, m *Machine) error { return m.Apply(ctx, fine.Number) })(ctx, m)
	return o, errors.Join(err, m.ask(ctx, "/write?path=/data/filler&data=")) // which truncates it
}

// ask asks the demo container.
func (m *Machine) ask(ctx context.Context, path string) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	code, body, err := machine.Get(ctx, "http://"+m.Address(machine.DemoPort)+path)
	if err == nil && code != http.StatusOK {
		err = fmt.Errorf("%q answers %d: %s", path, code, strings.TrimSpace(body))
	}
	return err
}
