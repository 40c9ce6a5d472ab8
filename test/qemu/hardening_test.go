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
