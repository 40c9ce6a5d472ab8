package system

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stele-os/stele/internal/golden"
)

// part writes one file as efi_pstore shows it.
func part(t *testing.T, root string, seconds int64, number, count int, text string) {
	t.Helper()
	write(t, root, fmt.Sprintf("dmesg-efi_pstore-%d", (seconds*100+int64(number))*1000+int64(count)), text)
}

func TestReadCrashes(t *testing.T) {
	const noon = 1_795_251_960
	root := t.TempDir()
	// A kernel that panicked before the agent ran, in three parts of which firmware was slow to write the last.
	part(t, root, noon, 1, 1, "Panic#1 Part1\n<0>[    1.151566] Kernel panic - not syncing: dm-verity device corrupted\n<4>[    1.152000] Call Trace:\n")
	part(t, root, noon+1, 2, 1, "Panic#1 Part2\n<3>[    1.150492] device-mapper: verity: 254:2: data block 0 is corrupted\n")
	part(t, root, noon+1, 3, 1, "Panic#1 Part3\n<5>[    0.000000] Linux version 6.12\n<6>[    0.1] a < b > c")
	// The next try, a quarter of a minute later: an oops that became a panic.
	part(t, root, noon+15, 1, 1, "Oops#1 Part1\n<1>[    2.0] BUG: kernel NULL pointer dereference\n")
	part(t, root, noon+15, 1, 2, "Panic#2 Part1\n<0>[    2.1] Kernel panic - not syncing: Fatal exception\n")
	part(t, root, noon+15, 2, 2, "Panic#2 Part2\n<1>[    2.0] BUG: kernel NULL pointer dereference\n")
	// Yesterday's, of which the first part was lost.
	part(t, root, noon-86_400, 2, 1, "Panic#1 Part2\n<6>[    9.0] yesterday\n")
	// What is no part of a kernel's log, or cannot be read.
	write(t, root, "dmesg-efi_pstore-179525196001001.enc.z", "\x1f\x8b")
	write(t, root, "console-ramoops-0", "no crash")
	write(t, root, "dmesg-efi_pstore-x", "no number")
	write(t, root, "dmesg-", "")
	if err := os.Mkdir(filepath.Join(root, "dmesg-efi_pstore-1"), 0o700); err != nil {
		t.Fatal(err)
	}
	crashes, err := ReadCrashes(root)
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, c := range crashes {
		fmt.Fprintf(&all, "%s\n%s", c.Time.Format("2006-01-02 15:04:05"), c.Text)
	}
	golden.Compare(t, "testdata/crashes.txt", all.String())
}

func TestReadCrashesIsBounded(t *testing.T) {
	root := t.TempDir()
	for i := range 2 * maxCrashParts {
		part(t, root, 1_795_251_960, i%100, i/100, strings.Repeat("x", 1024))
	}
	part(t, root, 1, 1, 1, strings.Repeat("x", 2*maxCrashPartBytes))
	crashes, err := ReadCrashes(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range crashes {
		if len(c.Text) > maxCrashBytes {
			t.Errorf("%d bytes", len(c.Text))
		}
	}
}

// A machine without pstore has no crashes; what cannot be deleted does not keep the rest.
func TestClearCrashes(t *testing.T) {
	root := t.TempDir()
	if crashes, err := ReadCrashes(filepath.Join(root, "none")); err != nil || crashes != nil {
		t.Errorf("%v, %v", crashes, err)
	}
	if err := ClearCrashes(filepath.Join(root, "none")); err != nil {
		t.Error(err)
	}
	write(t, root, "dmesg-efi_pstore-0/kept", "")
	part(t, root, 1, 1, 1, "x")
	write(t, root, "dmesg-efi_pstore-2.enc.z", "x")
	write(t, root, "other", "x")
	if err := ClearCrashes(root); err == nil || !strings.Contains(err.Error(), "dmesg-efi_pstore-0") {
		t.Errorf("got %v", err)
	}
	entries, _ := os.ReadDir(root)
	var left []string
	for _, e := range entries {
		left = append(left, e.Name())
	}
	if got := strings.Join(left, " "); got != "dmesg-efi_pstore-0 other" {
		t.Errorf("left: %s", got)
	}
}

func FuzzJoinCrashes(f *testing.F) {
	f.Add("dmesg-efi_pstore-179525196001001", "Panic#1 Part1\n<0>[ 1.0] Kernel panic\n", "dmesg-efi_pstore-179525196002001", "<6>[ 0.9] before")
	f.Fuzz(func(t *testing.T, nameA, textA, nameB, textB string) {
		var parts []crashPart
		for _, file := range [][2]string{{nameA, textA}, {nameB, textB}} {
			if p, ok := decodeCrashName(file[0]); ok {
				p.text = file[1]
				parts = append(parts, p)
			}
		}
		if crashes := joinCrashes(parts); len(crashes) > len(parts) {
			t.Errorf("%d crashes of %d parts", len(crashes), len(parts))
		}
	})
}

func TestWatchdogReset(t *testing.T) {
	tests := []struct {
		status string
		want   bool
	}{{"0\n", false}, {"32\n", true}, {"0x20\n", true}, {"33\n", true}, {"1\n", false}, {"odd\n", false}, {"", false}}
	for _, tt := range tests {
		root := t.TempDir()
		write(t, root, "dev/watchdog0", "")
		write(t, root, "dev/watchdog1", "")
		write(t, root, "sys/class/watchdog/watchdog1/bootstatus", tt.status)
		if got := WatchdogReset(root); got != tt.want {
			t.Errorf("bootstatus %q gives %v", tt.status, got)
		}
	}
	if WatchdogReset(t.TempDir()) {
		t.Error("a machine without a watchdog says that one reset it")
	}
}

func TestBootID(t *testing.T) {
	root := t.TempDir()
	if _, err := BootID(root); err == nil {
		t.Error("no error where there is none")
	}
	write(t, root, "sys/kernel/random/boot_id", "01a583bf-10d3-4edd-908f-04d23d399913\n")
	if id, err := BootID(root); id != "01a583bf-10d3-4edd-908f-04d23d399913" || err != nil {
		t.Errorf("%q, %v", id, err)
	}
}
