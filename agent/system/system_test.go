package system

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stele-os/stele/internal/golden"
)

func write(t *testing.T, root, path, content string) {
	t.Helper()
	full := filepath.Join(root, path)
	if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(full, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, root, path string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func flagWords(flags uintptr) string {
	var words []string
	for _, f := range []struct {
		bit  uintptr
		word string
	}{{unix.MS_RDONLY, "ro"}, {unix.MS_NOSUID, "nosuid"}, {unix.MS_NODEV, "nodev"}, {unix.MS_NOEXEC, "noexec"}} {
		if flags&f.bit != 0 {
			words = append(words, f.word)
			flags &^= f.bit
		}
	}
	if flags != 0 {
		words = append(words, fmt.Sprintf("%#x", flags))
	}
	return strings.Join(words, ",")
}

func TestMountTable(t *testing.T) {
	var table strings.Builder
	for _, m := range Mounts {
		fmt.Fprintf(&table, "%-28s %-11s %-25s %-35s late=%-5v optional=%v\n", m.Target, m.Type, flagWords(m.Flags), m.Data, m.Late, m.Optional)
	}
	golden.Compare(t, "testdata/mounts.txt", table.String())
	if len(EarlyMounts())+len(LateMounts()) != len(Mounts) {
		t.Error("a row is neither early nor late")
	}
}

func TestMountFlags(t *testing.T) {
	for _, m := range Mounts {
		if m.Flags&unix.MS_NOSUID == 0 || m.Flags&unix.MS_NOEXEC == 0 && m.Flags&unix.MS_RDONLY == 0 {
			t.Errorf("%s: nosuid is missing, or noexec where something can be written", m.Target)
		}
		if m.Flags&(unix.MS_NODEV|unix.MS_NOEXEC) != unix.MS_NODEV|unix.MS_NOEXEC && m.Why == "" {
			t.Errorf("%s: nodev or noexec is missing without a reason", m.Target)
		}
	}
}

func TestParameters(t *testing.T) {
	var table strings.Builder
	seen := map[string]bool{}
	for _, p := range Parameters {
		if seen[p.Name] || p.Reason == "" {
			t.Errorf("%s: listed twice, or without a reason", p.Name)
		}
		seen[p.Name] = true
		fmt.Fprintf(&table, "%s = %s\n", p.Name, p.Value)
	}
	golden.Compare(t, "testdata/parameters.txt", table.String())
	for name := range BuiltOut {
		if !seen[name] {
			t.Errorf("%s is built out, but not a parameter", name)
		}
	}
}

func TestApplyParameters(t *testing.T) {
	root := t.TempDir()
	write(t, root, "kernel/panic", "0")
	write(t, root, "net/ipv4/conf/eth0.1/forwarding", "0")
	missing, err := ApplyParameters(root, []Parameter{
		{"kernel.panic", "5", ""}, {"kernel.nothing", "1", ""}, {"net/ipv4/conf/eth0.1/forwarding", "1", ""}})
	if err != nil || !slices.Equal(missing, []string{"kernel.nothing"}) {
		t.Errorf("missing %q, error %v", missing, err)
	}
	if got := read(t, root, "kernel/panic") + read(t, root, "net/ipv4/conf/eth0.1/forwarding"); got != "51" {
		t.Errorf("written %q, want 51", got)
	}
	for _, bad := range []string{"../../etc/passwd", "/etc", "", "a/../../b"} {
		if _, err := ApplyParameters(root, []Parameter{{bad, "1", ""}}); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
}

func TestSetUpCgroups(t *testing.T) {
	root := t.TempDir()
	for _, group := range []string{"", "stele", CgroupContainers} {
		write(t, root, group+"/cgroup.controllers", "cpu memory pids\n")
	}
	for range 2 { // idempotent
		if err := errors.Join(MakeCgroups(root), DelegateCgroups(root, Size{1 << 30, 8000})); err != nil {
			t.Fatal(err)
		}
	}
	for _, group := range []string{"", "stele", CgroupContainers} {
		if got := read(t, root, group+"/cgroup.subtree_control"); got != "+cpu +memory +pids" {
			t.Errorf("%q delegates %q", group, got)
		}
	}
	if got := read(t, root, CgroupAgent+"/cgroup.procs"); got != "0" {
		t.Errorf("agent's group got %q", got)
	}
	for file, want := range map[string]string{
		"stele/memory.min": "100663296", CgroupAgent + "/memory.min": "33554432", CgroupRuntime + "/memory.min": "67108864",
		CgroupRuntime + "/memory.high": "268435456", CgroupRuntime + "/memory.max": "335544320", CgroupRuntime + "/pids.max": "1000", CgroupContainers + "/pids.max": "6000",
	} {
		if got := read(t, root, file); got != want {
			t.Errorf("%s is %q, want %q", file, got, want)
		}
	}
}

// Whatever the machine's size, the limits leave what the groups reserve, and some tasks to the agent. A kernel that does not tell its tasks bounds none.
func TestGroupLimits(t *testing.T) {
	for _, size := range []Size{{128 << 20, 900}, {1 << 30, 7600}, {64 << 30, 500000}, {1 << 30, 0}} {
		got := map[string]int64{}
		for _, l := range groupLimits(size) {
			got[l.group+"/"+l.file] = l.value
		}
		if soft, hard := got[CgroupRuntime+"/memory.high"], got[CgroupRuntime+"/memory.max"]; soft <= got[CgroupRuntime+"/memory.min"] || hard <= soft {
			t.Errorf("%+v: %v", size, got)
		}
		left := size.Tasks - got[CgroupRuntime+"/pids.max"] - got[CgroupContainers+"/pids.max"]
		if _, bounded := got[CgroupContainers+"/pids.max"]; bounded != (size.Tasks > 0) || left < size.Tasks/8 {
			t.Errorf("%+v: %d tasks are left: %v", size, left, got)
		}
	}
}

func TestReadTasks(t *testing.T) {
	root := t.TempDir()
	if _, err := ReadTasks(root); err == nil {
		t.Error("a kernel without the parameter is no error")
	}
	write(t, root, "kernel/threads-max", "7612\n")
	if n, err := ReadTasks(root); n != 7612 || err != nil {
		t.Errorf("got %d, %v", n, err)
	}
	write(t, root, "kernel/threads-max", "many")
	if _, err := ReadTasks(root); err == nil {
		t.Error("a word is no error")
	}
}

func TestChooseWatchdogs(t *testing.T) {
	soft, hard, other := watchdogDevice{"watchdog0", "Software Watchdog"}, watchdogDevice{"watchdog1", "i6300ESB timer"}, watchdogDevice{"watchdog2", "iTCO_wdt"}
	tests := []struct {
		name    string
		devices []watchdogDevice
		want    string
	}{
		{"none", nil, ""},
		{"only software", []watchdogDevice{soft}, "watchdog0"},
		{"hardware behind software", []watchdogDevice{soft, hard}, "watchdog1"},
		{"two of hardware", []watchdogDevice{hard, soft, other}, "watchdog1 watchdog2"},
		{"no sysfs", []watchdogDevice{{"watchdog0", ""}, {"watchdog1", ""}}, "watchdog0 watchdog1"},
	}
	for _, tt := range tests {
		var got []string
		for _, d := range chooseWatchdogs(tt.devices) {
			got = append(got, d.name)
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s: chose %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestOpenWatchdog(t *testing.T) {
	root := t.TempDir()
	if w, _, err := OpenWatchdog(root); err == nil || w == nil {
		t.Error("a machine without a watchdog gives an error and a watchdog that does nothing")
	} else {
		w.Feed()
	}
	for name, identity := range map[string]string{"watchdog0": "i6300ESB timer\n", "watchdog1": "iTCO_wdt\n"} {
		write(t, root, "dev/"+name, "")
		write(t, root, "sys/class/watchdog/"+name+"/identity", identity)
	}
	w, identity, err := OpenWatchdog(root)
	if err != nil || identity != "i6300ESB timer, iTCO_wdt" {
		t.Fatalf("identity %q, error %v", identity, err)
	}
	w.Feed()
	for _, name := range []string{"watchdog0", "watchdog1"} {
		if got := read(t, root, "dev/"+name); got != "\x00" {
			t.Errorf("fed %s %q: never the magic character V", name, got)
		}
	}
}

func TestFresh(t *testing.T) {
	if !fresh(time.Minute, time.Minute-staleAfter+1) || fresh(time.Minute, time.Minute-staleAfter) {
		t.Error("a heartbeat is fresh while it is younger than staleAfter")
	}
}

func TestDecodeMeminfo(t *testing.T) {
	got := DecodeMeminfo([]byte("MemTotal:        1000 kB\nMemFree: 1 kB\nMemAvailable:     900 kB\n"))
	if want := (Memory{1000 << 10, 900 << 10}); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := DecodeResident([]byte("Name:\tagent\nVmRSS:\t  2048 kB\n")); got != 2048<<10 {
		t.Errorf("resident %d", got)
	}
}

func TestDecodeCommandLine(t *testing.T) {
	line := DecodeCommandLine("quiet dm-mod.create=\"root,,0,ro,0 8 verity 1\" stele.platform=ec2 stele.platform=metal a=\"\" \n")
	want := CommandLine{"quiet", "dm-mod.create=root,,0,ro,0 8 verity 1", "stele.platform=ec2", "stele.platform=metal", "a="}
	if !slices.Equal(line, want) {
		t.Errorf("got %q", line)
	}
	if v, ok := line.Value("stele.platform"); v != "metal" || !ok {
		t.Errorf("the last one wins: %q %v", v, ok)
	}
	if _, ok := line.Value("quie"); ok {
		t.Error("a prefix is not a key")
	}
}

func variable(text string) []byte {
	b := []byte{6, 0, 0, 0}
	for _, r := range text + "\x00" {
		b = binary.LittleEndian.AppendUint16(b, uint16(r))
	}
	return b
}

func TestReadLoader(t *testing.T) {
	root := t.TempDir()
	for name, text := range map[string]string{"LoaderTimeInitUSec": "2500000", "LoaderTimeExecUSec": "2800000",
		"LoaderDevicePartUUID": "AAAAAAAA-0000-4000-8000-000000000001"} {
		write(t, root, name+"-"+loaderVendor, string(variable(text)))
	}
	got, err := ReadLoader(root)
	want := Loader{2500000, 2800000, "aaaaaaaa-0000-4000-8000-000000000001"}
	if err != nil || got != want {
		t.Errorf("got %+v, %v", got, err)
	}
	if got, err := ReadLoader(t.TempDir()); err != nil || got != (Loader{}) {
		t.Errorf("missing variables: %+v, %v", got, err)
	}
	if _, err := ReadLoader(filepath.Join(root, "none")); err == nil {
		t.Error("no EFI is an error")
	}
}

func TestSaveSeed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "random-seed")
	if err := SaveSeed(path); err != nil {
		t.Fatal(err)
	}
	first, _ := os.ReadFile(path)
	if err := SaveSeed(path); err != nil {
		t.Fatal(err)
	}
	second, _ := os.ReadFile(path)
	info, _ := os.Stat(path)
	if len(first) != seedBytes || bytes.Equal(first, second) || info.Mode() != 0o600 {
		t.Errorf("seeds %x, %x, mode %v", first, second, info.Mode())
	}
}

func TestPowerPress(t *testing.T) {
	event := func(kind, code uint16, value uint32) (e [inputEventLen]byte) {
		binary.NativeEndian.PutUint16(e[16:], kind)
		binary.NativeEndian.PutUint16(e[18:], code)
		binary.NativeEndian.PutUint32(e[20:], value)
		return e
	}
	presses := 0
	var stream bytes.Buffer
	for _, e := range [][inputEventLen]byte{event(0, 0, 0), event(1, 116, 1), event(1, 116, 0), event(1, 116, 2), event(1, 30, 1)} {
		stream.Write(e[:])
	}
	readPresses(&stream, func() { presses++ })
	if presses != 1 {
		t.Errorf("%d presses, want 1", presses)
	}
	if err := WatchPowerButton(t.Context(), t.TempDir(), nil); err == nil {
		t.Error("no button is an error")
	}
}

// TestNewcomers: each file that appears is told once, by its name.
func TestNewcomers(t *testing.T) {
	dir := t.TempDir()
	watch, err := watchDirectory(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer watch.Close()
	var got []string
	for _, name := range []string{"event0", "a-name-that-needs-more-than-sixteen-bytes", "mouse0"} {
		write(t, dir, name, "")
	}
	for len(got) < 3 {
		names, err := readNames(watch)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, names...)
	}
	if want := []string{"event0", "a-name-that-needs-more-than-sixteen-bytes", "mouse0"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestWatchPowerButtonEnds: with devices that are no buttons, too, and with one that appears while it waits.
func TestWatchPowerButtonEnds(t *testing.T) {
	root := t.TempDir()
	write(t, root, "dev/input/event0", "")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- WatchPowerButton(ctx, root, nil) }()
	write(t, root, "dev/input/event1", "")
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestMountsUnder(t *testing.T) {
	mountinfo := "20 1 0:1 / / ro - erofs /dev/dm-0 ro\n" +
		"21 20 0:2 / /var rw - ext4 /dev/vda6 rw\n" +
		"22 21 0:3 / /var/lib/a\\040b rw - tmpfs tmpfs rw\n" +
		"23 20 0:4 / /variable rw - tmpfs tmpfs rw\n" +
		"24 20 0:5 / /run rw - tmpfs tmpfs rw\n" +
		"25 24 0:6 / /run/x rw - overlay overlay rw\nshort line\n"
	got := mountsUnder([]byte(mountinfo), []string{"/var", "/run/x"})
	if want := []string{"/run/x", "/var/lib/a b", "/var"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func FuzzDecodeVariable(f *testing.F) {
	f.Add(variable("123"))
	f.Add([]byte{1, 2, 3})
	f.Fuzz(func(t *testing.T, content []byte) {
		if text := decodeVariable(content); len(text) > 3*len(content) {
			t.Errorf("%d bytes became %d", len(content), len(text))
		}
	})
}

func FuzzDecodeCommandLine(f *testing.F) {
	f.Add("a=\"b c\" d")
	f.Fuzz(func(t *testing.T, content string) {
		for _, word := range DecodeCommandLine(content) {
			if strings.Contains(word, "\"") {
				t.Errorf("quote left in %q", word)
			}
		}
	})
}
