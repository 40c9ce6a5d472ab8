//go:build qemu

package qemu

import (
	"context"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	nodev1 "github.com/stele-os/stele/api/node/v1"
	"github.com/stele-os/stele/operator/node"
	"github.com/stele-os/stele/test/faults"
	"github.com/stele-os/stele/test/qemu/machine"
	"github.com/stele-os/stele/test/scratch"
)

// A document on trial is taken back when its time is over, and by a restart; a reset takes everything but the version.
func TestTryAndReset(t *testing.T) {
	t.Parallel()
	l := lab(t)
	m, err := l.Start(t.Context(), faults.Setting{Dir: scratch.Dir(t), Log: t.Logf})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 3*expectTimeout)
	defer cancel()
	more := string(l.Document(faults.Gates{Probation: 3, Deadline: 60}, "containers:"+demo("demo", machine.DemoPort)+demo("second", 8081)))
	first, err := m.Status(ctx)
	if err != nil {
		t.Fatal(err)
	}
	try := func(d time.Duration) {
		answer, err := node.Ask(ctx, m.Client.Config.Apply, &nodev1.ApplyConfigRequest{Document: more, TryFor: durationpb.New(d)})
		if err != nil || answer.GetRevertAt() == nil || !strings.Contains(strings.Join(answer.GetChanges(), "\n"), "second") {
			t.Fatalf("try: %v, %v", answer, err)
		}
	}
	try(20 * time.Second) // in which the second container comes and is ready, on a busy machine, too
	await(ctx, t, m, "the second container", func(s *nodev1.StatusResponse) bool { return containerOf(s, "second").GetReady() })
	await(ctx, t, m, "its end", func(s *nodev1.StatusResponse) bool {
		return containerOf(s, "second") == nil && s.GetDocument().GetDigest() == first.GetDocument().GetDigest()
	})

	try(time.Hour)
	await(ctx, t, m, "the second container", func(s *nodev1.StatusResponse) bool { return containerOf(s, "second").GetReady() })
	if _, err := node.Ask(ctx, m.Client.Power.Reboot, &nodev1.RebootRequest{Reason: t.Name()}); err != nil {
		t.Fatal(err)
	}
	s, err := m.InService(ctx, faults.Good, first.GetBoots()[0].GetId())
	if err != nil {
		t.Fatal(err)
	}
	if d := s.GetDocument(); d.GetDigest() != first.GetDocument().GetDigest() || containerOf(s, "second") != nil {
		t.Errorf("after a restart: %v, %v", d, s.GetContainers())
	}

	admin, err := l.Client("machine", m.Address(faults.APIPort), s.GetApi().GetFingerprint(), "admin")
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	mark := m.Console.Next()
	if _, err := node.Ask(ctx, admin.Reset.Reset, &nodev1.ResetRequest{ConfirmHostname: s.GetMachine().GetHostname()}); err != nil {
		t.Fatal(node.Explain("machine", err))
	}
	line, err := m.ExpectFrom(ctx, mark, `^stele: .*storage: /var is made anew on \S+: a reset was asked for`)
	if err == nil {
		line, err = m.ExpectFrom(ctx, line.Index, `^stele: .*api: port \d+, fingerprint (SHA256:\S+)`)
	}
	if err != nil {
		t.Fatal(err)
	}
	if line.Groups[1] == s.GetApi().GetFingerprint() {
		t.Error("the machine kept its key")
	}
	after, err := l.Client("machine", m.Address(faults.APIPort), line.Groups[1], "reader")
	if err != nil {
		t.Fatal(err)
	}
	defer after.Close()
	m.Client = after
	last := s.GetBoots()[0].GetId()
	if s, err = m.InService(ctx, faults.Good, ""); err != nil {
		t.Fatal(err)
	}
	if s.GetBoots()[0].GetId() == last || len(s.GetBoots()) != 1 || !s.GetRunning().GetCommitted() {
		t.Errorf("after the reset: %v, %v", s.GetRunning(), s.GetBoots())
	}
	if err := m.Calm(0); err != nil {
		t.Error(err)
	}
}

// await asks until the status is as it should be.
func await(ctx context.Context, t *testing.T, m *faults.Machine, what string, is func(*nodev1.StatusResponse) bool) *nodev1.StatusResponse {
	t.Helper()
	var s *nodev1.StatusResponse
	for {
		answer, err := m.Status(ctx)
		if err == nil {
			if s = answer; is(s) {
				return s
			}
		}
		select {
		case <-ctx.Done():
			t.Fatalf("waiting for %s: %v, %v\nconsole log: %s", what, err, s, m.ConsoleLog())
		case <-time.After(200 * time.Millisecond):
		}
	}
}

func containerOf(s *nodev1.StatusResponse, name string) *nodev1.Container {
	for _, c := range s.GetContainers() {
		if c.GetName() == name {
			return c
		}
	}
	return nil
}
