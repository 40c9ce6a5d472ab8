//go:build qemu

package qemu

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stele-os/stele/internal/golden"
	"github.com/stele-os/stele/test/hardening"
	"github.com/stele-os/stele/test/qemu/machine"
)

const kernelConfigs = "../../kernel-configs"

// The yardstick's verdict on the running machine (its own configuration, command line and parameters) is the one that is checked in, which
// test/hardening holds against the reasons in kernel-configs/README.md. "-update" writes it anew.
func TestHardening(t *testing.T) {
	t.Parallel()
	g := boot(t, machine.Options{Direct: true, Document: []byte(hardening.Document)})
	g.serving()
	subject, err := hardening.Read(t.Context(), "http://"+g.Address(machine.DemoPort), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	tool, err := hardening.Open(t.Context(), "../../images/lock.yaml")
	if err != nil {
		t.Fatal(err)
	}
	defer tool.Close()
	checks, err := tool.Check(t.Context(), subject)
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range hardening.Kinds {
		t.Logf("%s: %v", kind, hardening.Scores(checks)[kind])
	}
	architecture := image.Manifest.Architecture
	final, err := os.ReadFile(filepath.Join(kernelConfigs, architecture+".final"))
	if err != nil {
		t.Fatal(err)
	}
	golden.Compare(t, filepath.Join(kernelConfigs, architecture+".verdict"), string(hardening.Verdict(tool.Version, final, checks)))
}

// io_uring is off, for root with every capability too, until a document asks for it; then a container has it without more.
func TestIOUring(t *testing.T) {
	t.Parallel()
	const sysctls = "/proc/sys/kernel/io_uring_disabled"
	off := boot(t, machine.Options{Direct: true, Document: containers(demo("demo", machine.DemoPort, `securityContext: {privileged: true}`))})
	off.serving()
	if value := off.get(machine.DemoPort, "/read", "path", sysctls); value != "2\n" {
		t.Errorf("%s is %q", sysctls, value)
	}
	if status, body := off.ask(machine.DemoPort, "/iouring"); status != 500 || body != "io_uring_setup: operation not permitted\n" {
		t.Errorf("io_uring without asking: %d %q", status, body)
	}
	off.powerOff()
	on := boot(t, machine.Options{Direct: true, Document: document("sysctls: {kernel.io_uring_disabled: 0}\ncontainers:" + demo("demo", machine.DemoPort))})
	on.serving()
	on.get(machine.DemoPort, "/iouring")
}
