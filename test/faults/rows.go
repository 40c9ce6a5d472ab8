package faults

import (
	"context"
	"fmt"

	"github.com/stele-os/stele/test/qemu/machine"
	"github.com/stele-os/stele/test/versions"
)

// extraPort is where the container listens that bad versions bring along.
const extraPort = 8081

// with is a version whose own document adds to the machine's.
func with(number, document string) versions.Version {
	return versions.Version{Number: number, Document: document}
}

// doing is a version with a container that does something bad at its start.
func doing(number, request string, more ...string) versions.Version {
	return with(number, "containers:"+container("extra", extraPort, request, more...))
}

var (
	unhealthy = doing("2.0.0", "/unhealthy")
	crashing  = doing("1.1.2", "/exit?code=3")
	checked   = with("1.1.3", "containers:"+container("extra", extraPort, "")+fmt.Sprintf(`
update:
  checks:
  - {name: shop, httpGet: {path: /nothing, port: %d}, periodSeconds: 1}
  - {name: smoke, exec: {container: extra, command: [/nothing]}, periodSeconds: 1}`, extraPort))
	offline = with("1.1.4", "network: {interfaces: [{name: eth0, dhcp4: false, ipv6: \"off\"}]}")
	// panicking finds no disk: "pci=off" is a word of x86 alone.
	panicking = versions.Version{Number: "1.1.5", Words: []string{"pci=off", "initcall_blacklist=virtio_blk_init"}}
	killing   = doing("1.1.6", "/kill?pid=1&signal=6", "securityContext: {runAsUser: 0, privileged: true}", "hostPID: true")
	freezing  = with("1.1.7", "volumes: [{name: groups, hostPath: {path: /sys/fs/cgroup}}]\ncontainers:"+
		container("extra", extraPort, "/write?path=/groups/stele/agent/cgroup.freeze&data=1",
			"securityContext: {runAsUser: 0, privileged: true}", "volumeMounts: [{name: groups, mountPath: /groups}]"))
	fine = Version("1.2.0")
	// large and alike are two of which much must be fetched, the same amount.
	large = versions.Version{Number: "1.2.1", Ballast: BallastBytes}
	alike = versions.Version{Number: "1.2.2", Ballast: BallastBytes}
	// tooLarge for the slots of the good version.
	tooLarge = versions.Version{Number: "1.9.0", Ballast: 2 * BallastBytes, Root: "128Mi"}
)

// Restarting are the bad updates that a machine comes back from, in the order in which one machine goes through them (Faulty).
func Restarting() []Row {
	return []Row{
		{Class: "/var full", Run: varFull, Reason: `no space left on device`},
		{Class: "required container unhealthy", Run: update(unhealthy, apply),
			Reason: `container extra is not ready: .*503`, Console: `boot: 2\.0\.0 in slot b rejected .*container extra is not ready`},
		{Class: "both versions unhealthy", Run: bothUnhealthy,
			Reason: `2\.0\.0 was rejected \(.*container extra is not ready.*\), 1\.0\.0 is not healthy \(container demo: .*liveness.*\); trying on`},
		{Class: "container crashes", Run: update(crashing, apply),
			Reason: `container extra is in backoff: exited with code 3`, Console: `boot: 1\.1\.2 in slot b rejected .*exited with code 3`},
		{Class: "checks fail", Run: update(checked, apply),
			Reason: `check shop failed: .*404.*check smoke failed`, Console: `boot: 1\.1\.3 in slot b rejected .*check shop failed`},
		{Class: "no network", Run: update(offline, apply),
			Reason: `the network is not up`, Console: `boot: 1\.1\.4 in slot b rejected .*the network is not up`},
		{Class: "kernel panic", Run: update(panicking, apply), Trouble: true,
			Reason: `the agent never ran in 2 tries: the kernel panicked: VFS: Unable to mount root`, Console: `boot: 1\.1\.5 in slot b no-agent.*Unable to mount root`},
		{Class: "init crash", Run: update(killing, apply), Trouble: true,
			Reason: `its first try crashed: the agent (crashed|ended)`, Console: `boot: 1\.1\.6 in slot b rejected .*its first try crashed`},
		{Class: "agent hang", Run: update(freezing, apply),
			Reason: `its first try hung: the watchdog restarted the machine`, Console: `boot: 1\.1\.7 in slot b rejected .*its first try hung`},
		{Class: "corrupt root", Trouble: true,
			Run:    update(fine, applyAndEdit(func(disk, _ string) error { return flip(disk, "root-b", superblock) })),
			Reason: `the agent never ran in 2 tries: the kernel panicked`, Console: `boot: 1\.2\.0 in slot b no-agent`},
		{Class: "corrupt verity tree", Trouble: true,
			Run:    update(fine, applyAndEdit(func(disk, _ string) error { return flip(disk, "root-b-verity", treeTop) })),
			Reason: `the agent never ran in 2 tries: the kernel panicked`, Console: `boot: 1\.2\.0 in slot b no-agent`},
		{Class: "truncated UKI", Run: update(fine, applyAndEdit(truncate)),
			Reason: `the agent never ran in 2 tries: cannot read boot entry .*section "\.linux" ends at`, Console: `boot: 1\.2\.0 in slot b no-agent`},
		{Class: "power cut while staging", Run: cutWhileStaging, Reason: `power cut or a reset`, Console: `slot b is writing`},
		{Class: "power cut before commit", Run: cutBeforeCommit,
			Reason: `power cut or a reset`, Console: `boot: 1\.2\.0 in slot b lost: .*power cut or a reset`},
		{Class: "both roots corrupt", Run: bothCorrupt, Trouble: true,
			Reason: `the kernel panicked: dm-verity device corrupted`, Console: `boot: 1\.2\.0 in slot b no-agent: .*dm-verity device corrupted`},
		{Class: "power cut during commit", Run: cutDuringCommit, Reason: `1\.[02]\.0 is committed`, Console: `version: demo 1\.[02]\.0 in slot [ab], committed`},
	}
}

// Faulty starts the machine for Restarting: its container may fill /var.
func (l *Lab) Faulty(ctx context.Context, dir string, log func(string, ...any)) (*Machine, error) {
	demo := container("demo", machine.DemoPort, "", "securityContext: {runAsUser: 0}", "volumeMounts: [{name: data, mountPath: /data}]",
		fmt.Sprintf("livenessProbe: {httpGet: {path: /healthz, port: %d}, periodSeconds: 1, failureThreshold: 5}", machine.DemoPort))
	return l.Start(ctx, Setting{
		Dir: dir, Log: log, Document: l.Document(Gates{Probation: 3, Deadline: 40}, "volumes: [{name: data, persistent: {}}]\ncontainers:"+demo),
	})
}
