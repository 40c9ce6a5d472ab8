package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/stele-os/stele/test/faults"
	"github.com/stele-os/stele/test/qemu/machine"
	"github.com/stele-os/stele/test/versions"
)

// Updates is what it costs to take a new version, and to get rid of a bad one.
type Updates struct {
	HostLoad string    `json:"hostLoad"`
	Staging  []Staging `json:"staging"`
	Apply    Apply     `json:"apply"`
	// Idle is the guest with its API on, and nobody who calls.
	Idle Idle `json:"idle"`
	// Faults by class: seconds from the fault until the good version serves again.
	Faults []faults.Result `json:"faults"`
}

// faultClasses are measured where not all are asked for.
var faultClasses = []string{"required container unhealthy", "kernel panic", "init crash", "agent hang"}

func measureUpdates(ctx context.Context, image machine.Image, runs int, allFaults bool) (u Updates, err error) {
	u.HostLoad = hostLoad()
	s, err := newStand(ctx, filepath.Join("build", "bench"), image)
	if err != nil {
		return u, err
	}
	defer s.Close()
	first, err := s.version(ctx, versions.Version{Number: "1.0.0"})
	if err != nil {
		return u, err
	}
	if u.Idle, err = s.idle(ctx, first); err != nil {
		return u, err
	}
	changed, apply, err := s.change(ctx, first)
	if err != nil {
		return u, err
	}
	full, err := s.stagings(ctx, first, runs)
	if err != nil {
		return u, err
	}
	u.Staging, u.Apply = []Staging{full, changed}, apply
	u.Faults, err = measureFaults(ctx, image, allFaults)
	return u, err
}

// idle measures the guest with its API on.
func (s *stand) idle(ctx context.Context, first machine.Image) (Idle, error) {
	g, err := s.start(ctx, first)
	if err != nil {
		return Idle{}, err
	}
	defer g.end()
	if err := pause(ctx, settleTime); err != nil {
		return Idle{}, err
	}
	return readIdle(g.ask(ctx))
}

// measureFaults takes one machine through bad updates. A row that fails is told, and has no figure.
func measureFaults(ctx context.Context, image machine.Image, all bool) (results []faults.Result, err error) {
	dir, err := filepath.Abs(filepath.Join("build", "bench", "faults"))
	if err != nil {
		return nil, err
	}
	repository, err := filepath.Abs(".")
	if err != nil {
		return nil, err
	}
	lab, err := faults.NewLab(ctx, repository, dir, image)
	if err != nil {
		return nil, err
	}
	var m *faults.Machine
	defer func() {
		if m != nil {
			m.Close()
		}
	}()
	for n, row := range faults.Restarting() {
		if !all && !slices.Contains(faultClasses, row.Class) {
			continue
		}
		if m == nil {
			if m, err = lab.Faulty(ctx, fmt.Sprintf("%s/machine-%d", dir, n), func(string, ...any) {}); err != nil {
				return results, err
			}
		}
		result, err := row.Do(ctx, m)
		fmt.Fprintln(os.Stderr, result, err)
		if err != nil {
			m.Close()
			m = nil
			continue
		}
		results = append(results, result)
	}
	return results, ctx.Err()
}
