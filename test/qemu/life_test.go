//go:build qemu

package qemu

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stele-os/stele/test/qemu/machine"
)

// Each restart policy does what it says, and a container whose liveness probe fails is started again.
func TestRestartPolicies(t *testing.T) {
	t.Parallel()
	never := demo("never", 8081, `restartPolicy: Never`)
	onFailure := demo("on-failure", 8082, `restartPolicy: OnFailure`)
	live := demo("demo", machine.DemoPort, `livenessProbe: {httpGet: {path: /healthz, port: 8080}, periodSeconds: 1, failureThreshold: 2}`)
	g := boot(t, machine.Options{Direct: true, Document: containers(live, never, onFailure), Forwards: ports(machine.DemoPort, 8081, 8082)})
	g.serving()
	g.expect(`^stele: .*container never: running ready`)
	ready := g.expect(`^stele: .*container on-failure: running ready`)

	g.get(8081, "/exit", "code", "4")
	g.expect(`^stele: .*container never: exited: exited with code 4`)
	g.get(8082, "/exit", "code", "3")
	down := g.expectFrom(ready.Index+1, `^stele: .*container on-failure: backoff: exited with code 3`)
	g.expectFrom(down.Index+1, `^stele: .*container on-failure: running ready`)
	g.get(8082, "/exit", "code", "0")
	g.expectFrom(down.Index+1, `^stele: .*container on-failure: exited: exited$`)

	mark := g.Console.Next()
	g.get(machine.DemoPort, "/unhealthy")
	down = g.expectFrom(mark, `^stele: .*container demo: backoff: liveness probe failed: .*503`)
	g.expectFrom(down.Index+1, `^stele: .*container demo: running ready`)
	g.get(machine.DemoPort, "/healthz")
	g.powerOff()
	g.never(`container never: (backoff|starting.*starting)`)
}

// What containers print is bounded, however much they print.
func TestLogsAreBounded(t *testing.T) {
	t.Parallel()
	reader := demo("demo", machine.DemoPort, `volumeMounts: [{name: logs, mountPath: /logs, readOnly: true}]`, `securityContext: {runAsUser: 0}`)
	chatty := demo("chatty", 8081, `logs: {maxSize: 2Mi, maxFiles: 2}`)
	g := boot(t, machine.Options{
		Direct: true, Forwards: ports(machine.DemoPort, 8081),
		Document: document("volumes: [{name: logs, hostPath: {path: /var/log/containers}}]\ncontainers:" + reader + chatty),
	})
	g.serving()
	g.expect(`^stele: .*container chatty: running ready`)
	for range 5 {
		g.get(8081, "/chatter", "mib", "20")
	}
	size, err := strconv.Atoi(strings.TrimSpace(g.get(machine.DemoPort, "/size", "path", "/logs")))
	if err != nil {
		t.Fatal(err)
	}
	if size < 2<<20 || size > 5<<20 {
		t.Errorf("after 100 MiB of output there are %d bytes of logs", size)
	}
	contains(t, g.get(machine.DemoPort, "/read", "path", "/logs/chatty.log"), " stdout F xxx")
}
