package main

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stele-os/stele/builder/output"
	"github.com/stele-os/stele/internal/golden"
	"github.com/stele-os/stele/test/faults"
	"github.com/stele-os/stele/test/hardening"
)

func TestMedian(t *testing.T) {
	s := time.Second
	for _, c := range []struct {
		list []time.Duration
		want float64
	}{{nil, 0}, {[]time.Duration{3 * s}, 3}, {[]time.Duration{9 * s, s, 2 * s}, 2}, {[]time.Duration{4 * s, s, 2 * s, 3 * s}, 2.5}} {
		if got := median(c.list); got != c.want {
			t.Errorf("median of %v is %v, want %v", c.list, got, c.want)
		}
	}
}

func TestReadIdle(t *testing.T) {
	answers := map[string]string{
		"/meminfo":         "MemTotal:        1000000 kB\nMemFree:  1 kB\nMemAvailable:     940000 kB\n",
		"/proc/1/status":   "Name:\tagent\nVmRSS:\t   20000 kB\nRssAnon:\t   8000 kB\n",
		"/proc/40/cmdline": "containerd\x00--config\x00",
		"/proc/40/status":  "Name:\tcontainerd\nVmRSS:\t   30000 kB\nRssAnon:\t   9000 kB\n",
	}
	idle, err := readIdle(func(path string) (string, error) {
		if answer, known := answers[path]; known {
			return answer, nil
		}
		return "", errors.New("no such process")
	})
	if want := (Idle{1000000, 60000, 20000, 8000, 30000, 9000}); err != nil || idle != want {
		t.Errorf("got %+v, %v, want %+v", idle, err, want)
	}
}

func TestTable(t *testing.T) {
	boots := []oneBoot{{
		stages: map[string]time.Duration{"firmware": 2500 * time.Millisecond, "kernel": 1900 * time.Millisecond, "containers": 4 * time.Second},
		accel:  "tcg", kernelToAnswer: 4100 * time.Millisecond, powerOnToAnswer: 7 * time.Second,
	}}
	got := table(Result{
		Image: output.Manifest{Name: "base", Version: "1.0.0", Architecture: "x86_64"},
		Sizes: Sizes{Files: map[string]int64{"disk.raw": 2 << 30, "uki.efi": 8 << 20}, DiskAllocated: 80 << 20, Sum: 50 << 20, Zstd: 20 << 20, Executables: 2, Elsewhere: 1},
		Base:  &Sizes{Sum: 45 << 20, Zstd: 18 << 20, Executables: 2},
		Build: []BuildTime{{"nothing changed", 1.25, []Stage{{"kernel", "from the store", 0.1}}}},
		Boot:  summarise(boots),
		Other: &Other{
			Image: output.Manifest{Name: "base", Version: "1.0.0", Architecture: "arm64"}, Boot: summarise(boots),
			Sizes: Sizes{Files: map[string]int64{"vmlinuz": 9 << 20}, Sum: 52 << 20, Zstd: 21 << 20, Executables: 2},
		},
		Kernel: Kernel{
			Groups:    groupKernel(map[string]int64{"drivers/net/ethernet/intel/ice": 3 << 20, "kernel/sched": 1 << 20}),
			Hardening: map[string]hardening.Score{hardening.Kconfig: {OK: 227, Fail: 23}, hardening.Sysctl: {OK: 34, Fail: 2}},
		},
		Idle: Idle{Total: 1000 << 10, Used: 60 << 10, Agent: 20 << 10, Containerd: 30 << 10},
		Updates: &Updates{
			HostLoad: "0.10",
			Staging: []Staging{
				{Name: "large", Runs: 3, Bytes: 300 << 20, SentBytes: 270 << 20, Seconds: 12, CopySeconds: 11, Ratio: 0.9,
					Phases: map[string]float64{"writing": 8, "verifying": 4}, PeakAboveIdle: 12 << 10, AnonymousAboveIdle: 9 << 10},
				{Name: "small", Runs: 1, Bytes: 50 << 20, SentBytes: 8 << 20, Seconds: 3},
			},
			Apply:  Apply{Answer: 9, Commit: 13},
			Idle:   Idle{Total: 1000 << 10, Used: 61 << 10},
			Faults: []faults.Result{{Class: "kernel panic", Seconds: 40, Reason: "the kernel panicked"}},
		},
	})
	golden.Compare(t, "testdata/table.golden", got)
	if strings.Contains(got, "%!") {
		t.Error("a format does not fit its value")
	}
}

func TestParseStages(t *testing.T) {
	got := parseStages("[1/9] definition    demo 0.1.0 for x86_64, 0.0 s\n      lock sha256:00\n[2/9] kernel        compile, 12 of about 2900 calls (0 %), 1 min 00 s\n" +
		"[2/9] kernel        made, 5 min 23 s\n[3/9] boot loader   made, 0.1 s\nnoise, 3 s\n")
	want := []Stage{{"definition", "demo 0.1.0 for x86_64", 0}, {"kernel", "made", 323}, {"boot loader", "made", 0.1}}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestKernelGroup(t *testing.T) {
	for directory, want := range map[string]string{
		"kernel/sched": "core", "arch/x86/crypto": "security, cryptography", "arch/x86/mm": "core", "drivers/net/ethernet/intel/ice": "network cards",
		"drivers/net/wireguard": "virtual network devices", "drivers/net/hyperv": "hypervisors", "drivers/nvme/host": "disks", "drivers/netfs": "other drivers",
		"drivers/usb/host": "USB, input", "io_uring": "core", "brand/new": "core",
	} {
		if got := kernelGroup(directory); got != want {
			t.Errorf("%s is %q, want %q", directory, got, want)
		}
	}
}
