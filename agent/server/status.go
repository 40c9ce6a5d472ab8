package server

import (
	"slices"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/stele-os/stele/agent/plan"
	"github.com/stele-os/stele/agent/state"
	nodev1 "github.com/stele-os/stele/api/node/v1"
)

// snapshot is the machine at one moment.
type snapshot struct {
	Facts      plan.Facts
	Desired    plan.Desired
	Boot       state.Boot
	Document   state.Document
	Network    state.Network
	Clock      state.Clock
	Storage    state.Storage
	Containers []state.Container
	Update     state.Update
	Boots      []state.BootStory
	API        state.API
	Health     state.Health

	Kernel     string
	Now        time.Time
	Uptime     time.Duration
	MemoryUsed int64
}

// statusOf is a pure function (TestStatus).
func statusOf(s snapshot) *nodev1.StatusResponse {
	r := &nodev1.StatusResponse{
		Machine: machineOf(s),
		Running: &nodev1.Version{
			Image: s.Facts.Image.Name, Version: s.Boot.Version, Slot: s.Boot.Slot, RootHash: s.Boot.RootHash, Committed: s.Update.Committed,
			SecurityVersion: s.Facts.Image.SecurityVersion,
		},
		Health:     &nodev1.Health{Phase: s.Health.Phase, Failures: slices.Clone(s.Health.Failures)},
		Containers: containersOf(s.Containers, s.Desired),
		Document:   documentOf(s.Document),
		Update:     updateOf(s.Update, s.Desired),
		Api: &nodev1.Api{
			Port: uint32(s.API.Port), Fingerprint: s.API.Fingerprint, SelfSigned: s.API.SelfSigned, NotAfter: moments(s.API.NotAfter),
		},
	}
	for _, slot := range s.Update.Slots {
		r.Slots = append(r.Slots, &nodev1.Slot{
			Name: slot.Name, Version: slot.Version, RootHash: slot.RootHash, Condition: string(slot.State), Running: slot.Running,
			SecurityVersion: slot.SecurityVersion, TriesLeft: int32(slot.Left), TriesDone: int32(slot.Done), Reason: slot.Reason,
		})
	}
	for _, b := range s.Boots {
		r.Boots = append(r.Boots, bootOf(b))
	}
	return r
}

func machineOf(s snapshot) *nodev1.Machine {
	m := &nodev1.Machine{
		Hostname:          state.Hostname(s.Desired, s.Network),
		Architecture:      s.Facts.Image.Architecture,
		Platform:          s.Facts.Platform,
		InstanceId:        s.Facts.InstanceID,
		Kernel:            s.Kernel,
		Processors:        int32(s.Facts.CPUs),
		MemoryBytes:       s.Facts.MemoryBytes,
		MemoryUsedBytes:   s.MemoryUsed,
		BootDisk:          s.Boot.BootDisk,
		VarBytes:          s.Storage.VarSizeBytes,
		VarInMemory:       s.Storage.VarDevice == "",
		Time:              moments(s.Now),
		ClockSynchronised: s.Clock.Synchronised,
		SecureBoot:        s.Boot.SecureBoot.State,
		SecureBootReason:  s.Boot.SecureBoot.Reason,
		Uptime:            durationpb.New(s.Uptime),
	}
	for _, l := range s.Network.Links {
		for _, a := range l.Addresses {
			m.Addresses = append(m.Addresses, a.String())
		}
	}
	return m
}

func containersOf(list []state.Container, desired plan.Desired) []*nodev1.Container {
	required := map[string]bool{}
	for _, c := range desired.Containers {
		required[c.Name] = c.Required
	}
	var out []*nodev1.Container
	for _, c := range list {
		out = append(out, &nodev1.Container{
			Name: c.Name, Image: c.Image, Phase: string(c.Phase), Ready: c.Ready, Required: required[c.Name],
			Restarts: int32(c.Restarts), ExitCode: int32(c.ExitCode), Reason: c.Reason, StartedAt: moments(c.StartedAt),
		})
	}
	return out
}

func documentOf(d state.Document) *nodev1.Document {
	return &nodev1.Document{Phase: string(d.Phase), Source: d.Source, Digest: d.Digest, Errors: slices.Clone(d.Errors), RevertAt: moments(d.RevertAt), Warnings: slices.Clone(d.Warnings)}
}

func updateOf(u state.Update, desired plan.Desired) *nodev1.Update {
	out := &nodev1.Update{
		Activity: string(u.Activity), Repository: desired.Update.Repository, Available: u.Available, CheckedAt: moments(u.CheckedAt),
		SecurityFloor: u.SecurityFloor, Error: u.Error, Gates: gatesOf(u.Gates), Deadline: moments(u.Deadline),
	}
	if u.Progress != (state.Progress{}) {
		out.Progress = progressOf(u.Progress)
	}
	for _, r := range u.Rejected {
		out.Rejected = append(out.Rejected, &nodev1.Rejection{Version: r.Version, RootHash: r.RootHash, Reason: r.Reason, Time: moments(r.Time)})
	}
	return out
}

func progressOf(p state.Progress) *nodev1.Progress {
	return &nodev1.Progress{
		Phase: p.Phase, DoneBytes: p.Done, TotalBytes: p.Total, FetchedBytes: p.Fetched, ReusedBytes: p.Reused, Version: p.Version,
	}
}

func gatesOf(gates []state.Gate) []*nodev1.Gate {
	var out []*nodev1.Gate
	for _, g := range gates {
		out = append(out, &nodev1.Gate{Name: g.Name, State: g.State, Reason: g.Reason, Since: moments(g.Since)})
	}
	return out
}

func bootOf(b state.BootStory) *nodev1.Boot {
	return &nodev1.Boot{
		Id: b.ID, Version: b.Version, Slot: b.Slot, Started: moments(b.Started), Ended: moments(b.Ended), TriesLeft: int32(b.Left), TriesDone: int32(b.Done),
		AskedBy: b.AskedBy, Why: b.Why, Outcome: string(b.Outcome), Reason: b.Reason, Gates: gatesOf(b.Gates), Panic: b.Panic, Image: b.Image, Committed: b.Committed,
	}
}

// moments leaves out a time that is not known.
func moments(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}
