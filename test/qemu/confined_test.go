//go:build qemu

package qemu

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stele-os/stele/test/qemu/machine"
)

// What a container can see and do: the default one runs as root, the other one as a user on a root that it cannot write.
func TestContainersAreConfined(t *testing.T) {
	t.Parallel()
	const mounts = `volumeMounts: [{name: data, mountPath: /data}, {name: scratch, mountPath: /scratch}]`
	root := demo("demo", machine.DemoPort, mounts, `securityContext: {runAsUser: 0}`)
	user := demo("user", 8081, strings.ReplaceAll(mounts, "name: data", "name: own"),
		`securityContext: {runAsUser: 1000, runAsGroup: 2000, readOnlyRootFilesystem: true}`)
	g := boot(t, machine.Options{
		Direct: true, Forwards: ports(machine.DemoPort, 8081), Hostname: "leased",
		Document: document("volumes: [{name: data, persistent: {}}, {name: own, persistent: {}}, {name: scratch, emptyDir: {}}]\ncontainers:" + root + user),
	})
	g.serving()
	g.expect(`^stele: .*container user: running ready`)
	g.expect(`^stele: hostname: leased`) // neither document nor platform gave one

	rootID, userID := g.get(machine.DemoPort, "/id"), g.get(8081, "/id")
	contains(t, rootID, "uid 0 gid 0 ", "CapEff:\t00000000800405fb", "CapBnd:\t00000000800405fb", "CapAmb:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2")
	contains(t, userID, "uid 1000 gid 2000 ", "CapEff:\t0000000000000000", "CapPrm:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2")

	for _, path := range []string{"/proc/sys/kernel/hostname", "/sys/fs/cgroup/cgroup.procs", "/sys/kernel/uevent_helper", "/etc/resolv.conf"} {
		if status, body := g.ask(machine.DemoPort, "/write", "path", path, "data", "x"); status == http.StatusOK {
			t.Errorf("root in a container may write %q: %s", path, body)
		}
	}
	// What is masked is empty: root would else read it.
	for _, path := range []string{"/proc/kpageflags", "/proc/vmallocinfo", "/proc/iomem", "/proc/timer_list"} {
		if status, body := g.ask(machine.DemoPort, "/read", "path", path); status == http.StatusOK && body != "" {
			t.Errorf("%s can be read: %.200s", path, body)
		}
	}
	for _, path := range []string{"/sys/firmware", "/sys/devices/virtual/dmi"} {
		if status, names := g.ask(machine.DemoPort, "/list", "path", path); status == http.StatusOK && names != "" {
			t.Errorf("%s is not masked: %s", path, names)
		}
	}
	if status, body := g.ask(8081, "/write", "path", "/new", "data", "x"); status == http.StatusOK || !strings.Contains(body, "read-only file system") {
		t.Errorf("writing to a read-only root answers %d: %s", status, body)
	}
	g.get(8081, "/write", "path", "/data/new", "data", "x")
	g.get(8081, "/write", "path", "/scratch/new", "data", "x")

	// Nothing of the machine's is left open, and the network that containers share with the machine holds no abstract socket, which no file
	// permission would guard (as in CVE-2020-15257).
	if sockets := g.get(machine.DemoPort, "/read", "path", "/proc/net/unix"); strings.Contains(sockets, " @") {
		t.Errorf("abstract sockets:\n%s", sockets)
	}
	if env := g.get(machine.DemoPort, "/env"); strings.Count(env, "\n") != 5 { // PATH, HOME, HOSTNAME, STELE_VERSION, PORT
		t.Errorf("the environment is\n%s", env)
	}
	for _, target := range []string{"/data", "/scratch"} {
		options := mountOptions(g, target)
		if !strings.Contains(options, "nosuid,nodev") || strings.Contains(options, "noexec") {
			t.Errorf("%s is mounted %s", target, options)
		}
	}
}

// mountOptions of a mount point in the demo (proc_pid_mountinfo(5): the fifth and sixth field).
func mountOptions(g *guest, target string) string {
	g.t.Helper()
	for line := range strings.Lines(g.get(machine.DemoPort, "/mounts")) {
		if fields := strings.Fields(line); len(fields) > 5 && fields[4] == target {
			return fields[5]
		}
	}
	g.t.Fatalf("nothing is mounted on %q", target)
	return ""
}

func contains(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("no %q in:\n%s", part, text)
		}
	}
}
