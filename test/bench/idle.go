package main

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/stele-os/stele/internal/vm"
	"github.com/stele-os/stele/test/qemu/machine"
)

// settleTime passes between the first answer and the measurement.
const settleTime = 10 * time.Second

// Idle is what the guest uses when nobody asks anything of it, in KiB.
type Idle struct {
	// Used is MemTotal minus MemAvailable, as the container reads them from /proc/meminfo.
	Total, Used int64
	// Agent and Containerd are VmRSS of their /proc/PID/status; anonymous is RssAnon.
	Agent, AgentAnonymous           int64
	Containerd, ContainerdAnonymous int64
}

// idleDocument runs the demo where it sees the machine's processes.
var idleDocument = []byte(`apiVersion: stele/v1alpha1
kind: Machine
spec:
  containers:
    - name: demo
      image: demo
      hostPID: true
      readinessProbe: {httpGet: {path: /healthz, port: 8080}, periodSeconds: 1}
`)

func measureIdle(ctx context.Context, image machine.Image) (Idle, error) {
	ctx, cancel := context.WithTimeout(ctx, bootTimeout)
	defer cancel()
	m, err := vm.Start(ctx, image.VM(machine.Options{Document: idleDocument}))
	if err != nil {
		return Idle{}, err
	}
	defer os.RemoveAll(m.Dir)
	defer m.Cut()
	base := "http://" + m.Address(machine.DemoPort)
	if _, err := machine.Serving(ctx, m, base+"/healthz"); err != nil {
		return Idle{}, err
	}
	select {
	case <-time.After(settleTime):
	case <-ctx.Done():
		return Idle{}, ctx.Err()
	}
	return readIdle(func(path string) (string, error) { return get(ctx, base+path) })
}

// readIdle reads the figures by asking the demo.
func readIdle(ask func(path string) (string, error)) (Idle, error) {
	text, err := ask("/meminfo")
	if err != nil {
		return Idle{}, err
	}
	memory := kibFields(text)
	idle := Idle{Total: memory["MemTotal"], Used: memory["MemTotal"] - memory["MemAvailable"]}
	if idle.Agent, idle.AgentAnonymous, err = resident(ask, 1); err != nil {
		return Idle{}, err
	}
	for pid := 2; pid < 1000; pid++ {
		name, err := ask(fmt.Sprintf("/proc/%d/cmdline", pid))
		if err == nil && strings.HasPrefix(name, "containerd\x00") {
			idle.Containerd, idle.ContainerdAnonymous, err = resident(ask, pid)
			return idle, err
		}
	}
	return idle, fmt.Errorf("cannot find containerd among the machine's processes")
}

func resident(ask func(string) (string, error), pid int) (total, anonymous int64, err error) {
	text, err := ask(fmt.Sprintf("/proc/%d/status", pid))
	fields := kibFields(text)
	return fields["VmRSS"], fields["RssAnon"], err
}

// kibFields reads lines "Name:   123 kB" (proc(5): meminfo, status).
func kibFields(text string) map[string]int64 {
	result := map[string]int64{}
	scanner := bufio.NewScanner(strings.NewReader(text))
	for scanner.Scan() {
		words := strings.Fields(scanner.Text())
		if len(words) == 3 && words[2] == "kB" {
			if n, err := strconv.ParseInt(words[1], 10, 64); err == nil {
				result[strings.TrimSuffix(words[0], ":")] = n
			}
		}
	}
	return result
}

func get(ctx context.Context, url string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	status, body, err := machine.Get(ctx, url)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("cannot get %q: it answers %d", url, status)
	}
	return body, err
}
