package machine

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stele-os/stele/agent/config"
	"github.com/stele-os/stele/agent/plan"
	"github.com/stele-os/stele/builder/output"
	"github.com/stele-os/stele/internal/vm"
)

func readLines(t *testing.T, name string) []string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(string(content), "\n")
}

func TestParseReports(t *testing.T) {
	reports := ParseReports(readLines(t, "console.txt"))
	if len(reports) != 2 {
		t.Fatalf("%d reports, want 2 (the third has no end)", len(reports))
	}
	r := reports[0]
	if r.Version != "base 1.0.0" || r.Slot != "a" || r.RootHash != "00ff" || r.Machine != "running" || r.Platform != "qemu (fw_cfg opt/stele/config)" {
		t.Errorf("identity: %+v", r)
	}
	if r.Timing["firmware"] != 2500*time.Millisecond || r.Timing["containers"] != 3*time.Second {
		t.Errorf("timing: %v", r.Timing)
	}
	if _, found := r.Timing["document"]; found {
		t.Error("a stage that did not happen has a moment")
	}
	if r.Memory["used"] != 60 || r.Memory["containerd"] != 30 {
		t.Errorf("memory: %v", r.Memory)
	}
	if !strings.HasPrefix(r.Containers["web"], "running ready") || len(r.Failed) != 0 {
		t.Errorf("containers: %v, failed: %v", r.Containers, r.Failed)
	}
	if got := reports[1]; got.Machine != "degraded" || !slices.Equal(got.Failed, []string{"container db: exit code 137"}) {
		t.Errorf("second report: %+v", got)
	}
}

func FuzzParseReports(f *testing.F) {
	content, err := os.ReadFile(filepath.Join("testdata", "console.txt"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(content))
	f.Fuzz(func(t *testing.T, text string) {
		for _, r := range ParseReports(strings.Split(text, "\n")) {
			for stage, moment := range r.Timing {
				if moment < 0 {
					t.Fatalf("stage %q at %v", stage, moment)
				}
			}
		}
	})
}

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	var hinted interface{ Hint() string }
	if _, err := Open(dir); !errors.As(err, &hinted) || !strings.Contains(hinted.Hint(), "make image") {
		t.Errorf("an empty directory gives %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "manifest.json"), []byte(`{"version": "1.0.0", "commandLine": "panic=5"}`), 0o644); err != nil {
		t.Fatal(err)
	}
	image, err := Open(dir)
	if err != nil || image.Manifest.CommandLine != "panic=5" {
		t.Errorf("got %+v, %v", image, err)
	}
}

func TestOptions(t *testing.T) {
	image := Image{Dir: "/image", Manifest: output.Manifest{CommandLine: "panic=5"}}
	direct := image.VM(Options{Direct: true, Append: "stele.platform=none", Document: []byte("x"), NoNetwork: true})
	if direct.UEFI || direct.Kernel != "/image/vmlinuz" || direct.CommandLine != "panic=5 stele.platform=none" || len(direct.NICs) != 0 {
		t.Errorf("direct boot: %+v", direct)
	}
	if string(direct.FwCfg[ConfigKey]) != "x" || !direct.Disks[0].Copy {
		t.Errorf("document or disk: %+v", direct)
	}
	firmware := image.VM(Options{})
	if !firmware.UEFI || firmware.Kernel != "" || !firmware.NICs[0].Restrict || firmware.NICs[0].Forwards[0].Guest != DemoPort || firmware.FwCfg != nil {
		t.Errorf("boot by firmware: %+v", firmware)
	}
	arm64 := Image{Dir: "/image", Manifest: output.Manifest{Architecture: "arm64", CommandLine: "panic=5"}}.VM(Options{Direct: true})
	if !arm64.UEFI || arm64.Arch != "arm64" || arm64.Kernel != "/image/vmlinuz" || arm64.CommandLine != "panic=5" {
		t.Errorf("direct boot of arm64: %+v", arm64)
	}
	if kept := image.VM(Options{Disk: "/mine.raw"}); kept.Disks[0].Copy || kept.Disks[0].Path != "/mine.raw" {
		t.Errorf("own disk: %+v", kept.Disks)
	}
}

// The demo is what a newcomer sees first: it must be a document that the agent takes.
func TestDemoDocumentIsValid(t *testing.T) {
	_, problems := config.Evaluate(config.Input{User: DemoDocument, UserSource: "demo.yaml"}, plan.Facts{})
	for _, p := range problems {
		t.Error(p)
	}
}

func TestHostStages(t *testing.T) {
	at := time.Unix(100, 0)
	lines := []vm.Line{
		{Text: "BdsDxe: starting Boot0001 \"UEFI Misc Device\"", At: at.Add(time.Second)},
		{Text: "[    1.0] a kernel line", At: at},
		{Text: "stele: [   2.000] late", At: at.Add(7 * time.Second)},
		{Text: "stele: [   3.500] in time", At: at.Add(5500 * time.Millisecond)},
	}
	if got := KernelStart(lines); !got.Equal(at.Add(2 * time.Second)) {
		t.Errorf("the kernel started at %v", got)
	}
	timing := map[string]time.Duration{}
	AddHostStages(timing, lines, at)
	if timing["firmware"] != time.Second || timing["loader"] != time.Second {
		t.Errorf("got %v", timing)
	}
	known := map[string]time.Duration{"firmware": time.Minute}
	AddHostStages(known, lines, at)
	if known["firmware"] != time.Minute {
		t.Error("what the machine knows was replaced")
	}
	direct := map[string]time.Duration{}
	AddHostStages(direct, lines[1:], at)
	if len(direct) != 0 {
		t.Errorf("a boot without firmware has %v", direct)
	}
}
