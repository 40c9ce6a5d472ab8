package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/stele-os/stele/internal/vm"
	"github.com/stele-os/stele/test/qemu/machine"
)

// bootTimeout bounds one boot.
const bootTimeout = 3 * time.Minute

// Boots are the medians over several boots through the firmware, in seconds.
type Boots struct {
	Runs  int    `json:"runs"`
	Accel string `json:"accel"`
	// HostLoad is the host's load average when the first boot began: well above 0, the figures say more about the host's other work.
	HostLoad string `json:"hostLoad"`
	// Stages by name: firmware and loader are durations, the others moments since the kernel started (agent's report; firmware and loader
	// as the host sees them where the machine does not know).
	Stages map[string]float64 `json:"stagesSeconds"`
	// KernelToAnswer is from the kernel's start to the first answer as the host sees it.
	KernelToAnswer float64 `json:"kernelToAnswerSeconds"`
	// PowerOnToAnswer is from starting QEMU to the first answer as the host sees it.
	PowerOnToAnswer float64 `json:"powerOnToAnswerSeconds"`
}

type oneBoot struct {
	stages                          map[string]time.Duration
	kernelToAnswer, powerOnToAnswer time.Duration
	accel                           string
}

func measureBoots(ctx context.Context, image machine.Image, runs int) (Boots, error) {
	load := hostLoad()
	var boots []oneBoot
	for n := range runs {
		b, err := measureBoot(ctx, image)
		if err != nil {
			return Boots{}, fmt.Errorf("boot %d of %d: %w", n+1, runs, err)
		}
		fmt.Fprintf(os.Stderr, "boot %d of %d: answered %.1f s after power-on\n", n+1, runs, b.powerOnToAnswer.Seconds())
		boots = append(boots, b)
	}
	result := summarise(boots)
	result.HostLoad = load
	return result, nil
}

// hostLoad is the load average of the last minute (proc(5): loadavg).
func hostLoad() string {
	content, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	first, _, _ := strings.Cut(string(content), " ")
	return first
}

func measureBoot(ctx context.Context, image machine.Image) (oneBoot, error) {
	ctx, cancel := context.WithTimeout(ctx, bootTimeout)
	defer cancel()
	m, err := vm.Start(ctx, image.VM(machine.Options{Document: machine.DemoDocument}))
	if err != nil {
		return oneBoot{}, err
	}
	defer os.RemoveAll(m.Dir)
	defer m.Cut()
	answered, err := machine.Serving(ctx, m, "http://"+m.Address(machine.DemoPort)+"/healthz")
	if err != nil {
		return oneBoot{}, err
	}
	report, err := machine.WaitReport(ctx, m)
	if err != nil {
		return oneBoot{}, err
	}
	started := machine.KernelStart(m.Console.Lines(0))
	return oneBoot{
		stages: report.Timing, powerOnToAnswer: answered, kernelToAnswer: m.Started.Add(answered).Sub(started), accel: m.Accel,
	}, m.Console.Err()
}

func summarise(boots []oneBoot) Boots {
	result := Boots{Runs: len(boots), Stages: map[string]float64{}}
	if len(boots) == 0 {
		return result
	}
	result.Accel = boots[0].accel
	pick := func(f func(oneBoot) (time.Duration, bool)) []time.Duration {
		var list []time.Duration
		for _, b := range boots {
			if d, ok := f(b); ok {
				list = append(list, d)
			}
		}
		return list
	}
	for _, stage := range machine.Stages {
		if list := pick(func(b oneBoot) (time.Duration, bool) { d, ok := b.stages[stage]; return d, ok }); len(list) > 0 {
			result.Stages[stage] = median(list)
		}
	}
	result.KernelToAnswer = median(pick(func(b oneBoot) (time.Duration, bool) { return b.kernelToAnswer, true }))
	result.PowerOnToAnswer = median(pick(func(b oneBoot) (time.Duration, bool) { return b.powerOnToAnswer, true }))
	return result
}

// median in seconds; the mean of the middle two where the number is even.
func median(list []time.Duration) float64 {
	if len(list) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(list))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle].Seconds()
	}
	return (sorted[middle-1] + sorted[middle]).Seconds() / 2
}
