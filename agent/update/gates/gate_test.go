package gates

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stele-os/stele/agent/plan"
	"github.com/stele-os/stele/agent/state"
	"github.com/stele-os/stele/internal/golden"
)

// healthy is a machine on which every gate holds.
func healthy() Input {
	return Input{
		Now: at(0),
		Desired: plan.Desired{
			API: plan.API{Port: 7835, ClientCAs: "pem"},
			Update: plan.Update{RequireConfirmation: true, Checks: []plan.Check{
				{Name: "shop", HTTP: "http://127.0.0.1:8080/healthz"}, {Name: "smoke", Container: "web", Exec: []string{"/smoke"}},
			}},
			Containers: []plan.Container{{Name: "extra"}, {Name: "web", Required: true}},
		},
		Document:    state.Document{Phase: state.DocumentApplied},
		Network:     state.Network{Online: true},
		Storage:     &state.Storage{VarDevice: "/dev/vda6"},
		Runtime:     state.Runtime{Running: true},
		Containers:  []state.Container{{Name: "extra", Phase: state.ContainerFailed}, {Name: "web", Phase: state.ContainerRunning, Ready: true}},
		API:         state.API{Port: 7835},
		HasDisk:     true,
		Serving:     &Answer{},
		Checks:      map[string]Answer{"shop": {}, "smoke": {}},
		ConfirmedBy: "CN=alice",
	}
}

func web(c state.Container) func(*Input) {
	return func(in *Input) { c.Name = "web"; in.Containers = []state.Container{c} }
}

func TestEvaluate(t *testing.T) {
	tests := []struct {
		name   string
		change func(*Input)
	}{
		{"healthy", func(*Input) {}},
		{"just started", func(in *Input) { *in = Input{Desired: in.Desired, HasDisk: true, Now: in.Now} }},
		{"empty document", func(in *Input) { in.Desired = plan.Desired{} }},
		{"last good document", func(in *Input) { in.Document.Phase = state.DocumentLastGood }},
		{"no document", func(in *Input) { in.Document.Phase = state.DocumentMissing }},
		{"invalid document", func(in *Input) {
			in.Document = state.Document{Phase: state.DocumentInvalid, Errors: []string{"spec.containers[0].image: is missing", "another"}}
		}},
		{"agent failed", func(in *Input) { in.Failures = []string{"the clock manager does not run"} }},
		{"offline", func(in *Input) { in.Network = state.Network{Errors: []string{"cannot get a lease"}} }},
		{"/var in memory", func(in *Input) { in.Storage = &state.Storage{Error: "cannot mount \"/dev/vda6\": input/output error"} }},
		{"no disk", func(in *Input) { in.Storage, in.HasDisk = &state.Storage{}, false }},
		{"containerd dies", func(in *Input) { in.Runtime = state.Runtime{Error: "containerd exited with 2"} }},
		{"port taken", func(in *Input) { in.API = state.API{Error: "cannot listen on port 7835: address already in use"} }},
		{"handshake fails", func(in *Input) { in.Serving = &Answer{errors.New("connection refused")} }},
		{"container not ready", web(state.Container{Phase: state.ContainerRunning, Reason: "\"http://127.0.0.1/\" answers 503"})},
		{"container in backoff", web(state.Container{Phase: state.ContainerBackoff, Reason: "exit code 1", ExitCode: 1, Restarts: 4})},
		{"container in backoff without a reason", web(state.Container{Phase: state.ContainerBackoff, ExitCode: 1, Restarts: 1})},
		{"container cannot start", web(state.Container{Phase: state.ContainerFailed, Reason: "cannot pull \"web:2\": not found"})},
		{"container pulls", web(state.Container{Phase: state.ContainerPulling})},
		{"container is done", web(state.Container{Phase: state.ContainerExited})},
		{"container ended with an error for good", web(state.Container{Phase: state.ContainerExited, ExitCode: 3})},
		{"checks fail", func(in *Input) {
			in.Checks = map[string]Answer{"shop": {errors.New("\"http://127.0.0.1:8080/healthz\" answers 500")}}
		}},
		{"not confirmed", func(in *Input) { in.ConfirmedBy = "" }},
		{"confirmation asked for by apply", func(in *Input) { in.Desired.Update.RequireConfirmation, in.RequireConfirmation = false, true }},
	}
	var all strings.Builder
	for _, tt := range tests {
		in := healthy()
		tt.change(&in)
		fmt.Fprintf(&all, "%s:\n", tt.name)
		for _, g := range Evaluate(in, Evaluation{}).Gates {
			fmt.Fprintf(&all, "  %-14s %-8s %s\n", g.Name, g.State, g.Reason)
			if g.State != Held && g.Reason == "" {
				t.Errorf("%s: gate %q says not why", tt.name, g.Name)
			}
		}
	}
	golden.Compare(t, "testdata/gates.txt", all.String())
}

func TestEvaluateDates(t *testing.T) {
	since := func(e Evaluation) string {
		var list []string
		for _, g := range e.Gates {
			if g.Name == "container web" {
				list = append(list, fmt.Sprintf("%s since %d", g.State, int(g.Since.Sub(start).Seconds())))
			}
		}
		return strings.Join(list, " ")
	}
	steps := []struct {
		at     int
		change func(*Input)
		want   string
	}{
		{0, func(*Input) {}, "held since 0"},
		{5, func(*Input) {}, "held since 0"},
		{6, func(in *Input) { in.Containers[1].Restarts = 1 }, "held since 6"}, // it came and went unseen
		{7, func(in *Input) { in.Containers[1].Restarts = 1 }, "held since 6"},
		{8, func(in *Input) { in.Containers[1].Ready = false }, "waiting since 8"},
		{9, func(in *Input) { in.Containers[1].Phase = state.ContainerBackoff }, "waiting since 8"},
		{10, func(*Input) {}, "held since 10"},
	}
	var e Evaluation
	for _, s := range steps {
		in := healthy()
		in.Now = at(s.at)
		s.change(&in)
		if e = Evaluate(in, e); since(e) != s.want {
			t.Errorf("after %d s: %s, want %s", s.at, since(e), s.want)
		}
	}
}
