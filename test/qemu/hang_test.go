//go:build qemu

package qemu

import (
	"strings"
	"testing"

	"github.com/stele-os/stele/builder/definition"
	"github.com/stele-os/stele/test/qemu/machine"
)

// An agent that hangs is no longer feeding the hardware watchdog, which restarts the machine. A privileged container freezes the agent's control
// group: PID 1 ignores every signal that would stop it.
func TestHungAgentReboots(t *testing.T) {
	t.Parallel()
	freezer := demo("demo", machine.DemoPort, `securityContext: {runAsUser: 0, privileged: true}`, `volumeMounts: [{name: groups, mountPath: /groups}]`)
	g := boot(t, machine.Options{
		Direct: true, Watchdog: "reset",
		Document: document("volumes: [{name: groups, hostPath: {path: /sys/fs/cgroup}}]\ncontainers:" + freezer),
	})
	g.serving()
	devices := map[definition.Arch]string{definition.X8664: "i6300ESB timer, iTCO_wdt", definition.ARM64: "i6300ESB timer"}[image.Arch()]
	g.expect(`^stele: .*watchdog: ` + devices) // all of the machine: one that nobody opens restarts it after two and a half minutes
	g.get(machine.DemoPort, "/write", "path", "/groups/stele/agent/cgroup.freeze", "data", "1")
	if events := g.get(machine.DemoPort, "/read", "path", "/groups/stele/agent/cgroup.events"); !strings.Contains(events, "frozen 1") {
		t.Fatalf("the agent is not frozen: %s", events)
	}
	g.event("WATCHDOG")
	if e := g.event("SHUTDOWN"); e.Data["reason"] != "guest-reset" {
		t.Errorf("the machine ended by %v, not by a reboot", e.Data)
	}
}
