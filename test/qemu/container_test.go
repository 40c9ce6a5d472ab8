//go:build qemu

package qemu

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stele-os/stele/test/qemu/machine"
)

func TestCrashedContainerIsRestarted(t *testing.T) {
	t.Parallel()
	g := boot(t, machine.Options{Direct: true, Document: machine.DemoDocument})
	g.serving()
	ready := g.expect(`^stele: .*container demo: running ready`)
	g.get(machine.DemoPort, "/exit", "code", "3")
	down := g.expectFrom(ready.Index+1, `^stele: .*container demo: backoff: .*\b3\b`)
	g.expectFrom(down.Index+1, `^stele: .*container demo: running ready`)
	g.get(machine.DemoPort, "/healthz")
}

func TestMemoryLimit(t *testing.T) {
	t.Parallel()
	limited := demo("limited", 8081, `resources: {limits: {memory: 48Mi}}`)
	g := boot(t, machine.Options{Direct: true, Document: containers(demo("demo", machine.DemoPort), limited), Forwards: ports(machine.DemoPort, 8081)})
	g.serving()
	ready := g.expect(`^stele: .*container limited: running ready`)
	if _, _, err := machine.Get(t.Context(), "http://"+g.Address(8081)+"/alloc?mib=96"); err == nil {
		t.Error("a container took more memory than its limit")
	}
	g.expectFrom(ready.Index+1, `^stele: .*container limited: backoff: .*(OOM|memory|137|killed)`)
	g.get(machine.DemoPort, "/healthz")
	g.never(`container demo: backoff`)
}

// Containers that cannot run do not keep the others from it, and the report says why each cannot.
func TestBadContainersDoNotStopOthers(t *testing.T) {
	t.Parallel()
	missing := "\n- {name: missing, image: no-such-image, imagePullPolicy: Never}"
	exits := "\n- {name: exits, image: demo, command: [/no-such-program]}"
	volume := demo("volume", 8082, `volumeMounts: [{name: gone, mountPath: /gone}]`)
	g := boot(t, machine.Options{Direct: true, Document: document(
		"volumes: [{name: gone, hostPath: {path: /no/such/path}}]\ncontainers:" + demo("demo", machine.DemoPort) + missing + exits + volume)})
	g.serving()
	g.expect(`^stele: .*state: degraded`)
	failed := strings.Join(g.report().Failed, "\n")
	for _, want := range []string{"container missing: .*no-such-image", "container exits: .*no-such-program", "container volume: .*/no/such/path"} {
		if !regexp.MustCompile(want).MatchString(failed) {
			t.Errorf("the report does not say %q: %s", want, failed)
		}
	}
}

// Containerd may die: what runs goes on running, and is under control again afterwards.
func TestContainerdKilled(t *testing.T) {
	t.Parallel()
	killer := demo("killer", 8081, `hostPID: true`, `securityContext: {runAsUser: 0, privileged: true}`)
	g := boot(t, machine.Options{Direct: true, Document: containers(demo("demo", machine.DemoPort), killer), Forwards: ports(machine.DemoPort, 8081)})
	g.serving()
	g.expect(`^stele: .*container killer: running ready`)
	before := uptime(g)
	pid := findProcess(g, 8081, "containerd")
	for path, want := range map[string]string{fmt.Sprintf("/proc/%d/oom_score_adj", pid): "-999", "/proc/self/oom_score_adj": "0"} {
		if score := strings.TrimSpace(g.get(8081, "/read", "path", path)); score != want {
			t.Errorf("%s is %s, want %s: containers pay for what containers take", path, score, want)
		}
	}
	g.get(8081, "/kill", "pid", strconv.Itoa(pid), "signal", "9")

	again := 0
	for deadline := time.Now().Add(expectTimeout); again == 0 || again == pid; {
		if time.Now().After(deadline) {
			t.Fatal("containerd did not come back")
		}
		time.Sleep(200 * time.Millisecond)
		again = findProcess(g, 8081, "containerd")
	}
	if after := uptime(g); after <= before {
		t.Errorf("the container was restarted: it ran for %v, then for %v", before, after)
	}
	mark := g.Console.Next()
	g.get(machine.DemoPort, "/exit", "code", "3")
	down := g.expectFrom(mark, `^stele: .*container demo: backoff: .*\b3\b`)
	g.expectFrom(down.Index+1, `^stele: .*container demo: running ready`)
}

// The agent's own crash is on the console, and ends in a reboot: never in a dead machine.
func TestCrashedAgentReboots(t *testing.T) {
	t.Parallel()
	killer := demo("demo", machine.DemoPort, `hostPID: true`, `securityContext: {runAsUser: 0, privileged: true}`)
	g := boot(t, machine.Options{Direct: true, Document: containers(killer), Allow: []string{".*"}})
	g.serving()
	g.get(machine.DemoPort, "/kill", "pid", "1", "signal", "6")
	g.expect(`SIGABRT|Attempted to kill init`)
	if e := g.event("SHUTDOWN"); e.Data["reason"] != "guest-reset" {
		t.Errorf("the machine ended by %v, not by a reboot", e.Data)
	}
}

func uptime(g *guest) time.Duration {
	g.t.Helper()
	m := regexp.MustCompile(`uptime +(\S+)`).FindStringSubmatch(g.get(machine.DemoPort, "/"))
	if m == nil {
		g.t.Fatal("the demo does not say its uptime")
	}
	d, err := time.ParseDuration(m[1])
	if err != nil {
		g.t.Fatal(err)
	}
	return d
}

// findProcess asks a container that sees the machine's processes for the one of that name; 0 where there is none.
func findProcess(g *guest, port int, name string) int {
	g.t.Helper()
	for pid := 1; pid < 600; pid++ {
		status, body := g.ask(port, fmt.Sprintf("/proc/%d/cmdline", pid))
		if status == 200 && strings.HasPrefix(body, name+"\x00") {
			return pid
		}
	}
	return 0
}
