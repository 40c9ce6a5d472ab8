// Command stele-agent is the one program of a machine: its PID 1, and, started again under other names, containerd and its shim.
package main

import (
	"fmt"
	"os"

	"github.com/stele-os/stele/agent/boot"
	"github.com/stele-os/stele/agent/containerd"
)

func main() {
	if containerd.Dispatch() {
		return
	}
	if os.Getpid() != 1 {
		fmt.Fprintln(os.Stderr, "stele-agent: cannot start: this is not PID 1 of a machine")
		fmt.Fprintln(os.Stderr, "hint: build an image with `stele build`, and boot it with `make run`")
		os.Exit(1)
	}
	boot.Run()
}
