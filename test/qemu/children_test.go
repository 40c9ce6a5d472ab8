//go:build qemu

package qemu

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stele-os/stele/agent/capability"
	"github.com/stele-os/stele/internal/golden"
	"github.com/stele-os/stele/test/qemu/machine"
)

// What the agent leaves itself, and what containerd, its shims and containers get, as a privileged container sees it: capabilities, limits, descriptors, environment and
// control groups; and what is mounted how.
func TestChildrenAreConfined(t *testing.T) {
	t.Parallel()
	watcher := demo("demo", machine.DemoPort, `hostPID: true`, `securityContext: {runAsUser: 0, privileged: true}`, `volumeMounts: [{name: groups, mountPath: /groups}]`)
	plain := demo("plain", 8081, `securityContext: {runAsUser: 0}`, `volumeMounts: [{name: data, mountPath: /data}, {name: scratch, mountPath: /scratch, readOnly: true}]`)
	sealed := demo("sealed", 8082, `securityContext: {runAsUser: 0, readOnlyRootFilesystem: true}`)
	g := boot(t, machine.Options{
		Direct: true, Forwards: ports(machine.DemoPort, 8081, 8082),
		Document: document("volumes: [{name: groups, hostPath: {path: /sys/fs/cgroup}}, {name: data, persistent: {}}, {name: scratch, emptyDir: {}}]\ncontainers:" + watcher + plain + sealed),
	})
	g.serving()
	g.expect(`^stele: .*container plain: running ready`)
	g.expect(`^stele: .*container sealed: running ready`)

	all, given := capability.Mask(capability.Names), capability.Mask(capability.Given())
	agent := all
	for _, w := range capability.Nobody {
		agent &^= capability.Mask([]string{w.Name})
	}
	containerd, shim := g.processes("containerd\x00"), g.processes("-id\x00plain\x00")
	if len(containerd) != 1 || len(shim) != 1 {
		t.Fatalf("containerd is %v, the shim of plain %v", containerd, shim)
	}
	// Control groups are told as the watcher's own is the root, two levels below /stele.
	for _, p := range []struct {
		name         string
		pid          int
		set          uint64
		core, nofile string
		oom          string
		group        string
	}{
		{"agent", 1, agent, "", "", "0", "0::/../../agent"},
		{"containerd", containerd[0], given, "0", "16384", "-999", "0::/../../runtime"},
		{"shim", shim[0], given, "0", "16384", "-998", "0::/../../runtime"},
	} {
		of := func(file string) string {
			return g.get(machine.DemoPort, "/read", "path", fmt.Sprintf("/proc/%d/%s", p.pid, file))
		}
		set := fmt.Sprintf("%016x", p.set)
		contains(t, of("status"), "CapInh:\t0000000000000000", "CapPrm:\t"+set, "CapEff:\t"+set, "CapBnd:\t"+set, "CapAmb:\t0000000000000000")
		if p.core != "" {
			limited(t, of("limits"), "Max core file size", p.core)
			limited(t, of("limits"), "Max open files", p.nofile)
		}
		if score := strings.TrimSpace(of("oom_score_adj")); score != p.oom {
			t.Errorf("%s: oom_score_adj %s, want %s", p.name, score, p.oom)
		}
		if group := strings.TrimSpace(of("cgroup")); group != p.group {
			t.Errorf("%s: control group %s, want %s", p.name, group, p.group)
		}
	}
	// The watcher is a process of the machine's namespace, and has what a document can give at most.
	contains(t, g.get(machine.DemoPort, "/id"), fmt.Sprintf("CapEff:\t%016x", given), fmt.Sprintf("CapBnd:\t%016x", given), "Seccomp:\t0")
	for _, port := range []int{8081, 8082} {
		limits := g.get(port, "/read", "path", "/proc/self/limits")
		limited(t, limits, "Max core file size", "0")
		limited(t, limits, "Max open files", "1048576") // Go raises the soft one to the hard one
	}

	golden.Compare(t, "testdata/environment.golden", g.environment(containerd[0])+"\n"+g.environment(shim[0]))
	for name, pid := range map[string]int{"containerd": containerd[0], "shim": shim[0]} {
		for line := range strings.Lines(g.get(machine.DemoPort, "/list", "path", fmt.Sprintf("/proc/%d/fd", pid))) {
			if !ownDescriptor.MatchString(line) {
				t.Errorf("%s has inherited %s", name, line)
			}
		}
	}
	for _, file := range []string{"runtime/memory.max", "runtime/memory.high", "runtime/pids.max", "containers/pids.max", "containers/plain/pids.max"} {
		value := strings.TrimSpace(g.get(machine.DemoPort, "/read", "path", "/groups/stele/"+file))
		if n, err := strconv.Atoi(value); err != nil || n == 0 {
			t.Errorf("%s is %q", file, value)
		}
	}
	golden.Compare(t, "testdata/mounts-machine.golden", mountTable(g.get(machine.DemoPort, "/read", "path", "/proc/1/mountinfo")))
	golden.Compare(t, "testdata/mounts-container.golden", mountTable(g.get(8081, "/mounts")))
	golden.Compare(t, "testdata/mounts-sealed.golden", mountTable(g.get(8082, "/mounts")))
}

// ownDescriptor is what containerd and shims open by themselves, or are handed: standard streams, sockets, pipes, files of their own directories, and what Go reads for
// GOMAXPROCS.
var ownDescriptor = regexp.MustCompile(`^\d+ (/dev/null|/dev/console|(socket|pipe):\[\d+\]|anon_inode:.*|/var/lib/containerd/\S+|/run/containerd/\S+|/run/stele/containers/\S+|/sys/fs/cgroup/stele/runtime/cpu\.max)?\n$`)

// processes whose command line holds some text.
func (g *guest) processes(text string) (list []int) {
	g.t.Helper()
	for line := range strings.Lines(g.get(machine.DemoPort, "/list", "path", "/proc")) {
		name, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		if status, said := g.ask(machine.DemoPort, fmt.Sprintf("/proc/%d/cmdline", pid)); status == 200 && strings.HasPrefix(said, text) || strings.Contains(said, "\x00"+text) {
			list = append(list, pid)
		}
	}
	return list
}

// environment of a process, sorted, a variable a line.
func (g *guest) environment(pid int) string {
	g.t.Helper()
	list := strings.Split(strings.TrimRight(g.get(machine.DemoPort, "/read", "path", fmt.Sprintf("/proc/%d/environ", pid)), "\x00"), "\x00")
	slices.Sort(list)
	return strings.Join(list, "\n") + "\n"
}

// limited looks for the hard limit in /proc/PID/limits: the second column behind the name.
func limited(t *testing.T, limits, name, want string) {
	t.Helper()
	for line := range strings.Lines(limits) {
		if rest, found := strings.CutPrefix(line, name); found {
			if fields := strings.Fields(rest); len(fields) < 2 || fields[1] != want {
				t.Errorf("%s: %q, want %s", name, strings.TrimSpace(rest), want)
			}
			return
		}
	}
	t.Errorf("no %q in:\n%s", name, limits)
}

// sizes are what depends on the machine and the kernel's build.
var sizes = regexp.MustCompile(`\b(size|nr_inodes)=\d+k?`)

// mountTable is /proc/PID/mountinfo (proc_pid_mountinfo(5)) without what differs from boot to boot, sorted by mount point.
func mountTable(mountinfo string) string {
	var rows []string
	for line := range strings.Lines(mountinfo) {
		mount, filesystem, found := strings.Cut(strings.TrimSpace(line), " - ")
		m, f := strings.Fields(mount), strings.Fields(filesystem)
		if !found || len(m) < 6 || len(f) < 3 {
			rows = append(rows, line)
			continue
		}
		propagation := ""
		for _, word := range m[6:] {
			kind, _, _ := strings.Cut(word, ":")
			propagation += " " + kind
		}
		rows = append(rows, fmt.Sprintf("%s  %s:%s  %s%s  %s\n", m[4], f[0], m[3], m[5], propagation, sizes.ReplaceAllString(f[2], "$1=N")))
	}
	slices.Sort(rows)
	return strings.Join(rows, "")
}
