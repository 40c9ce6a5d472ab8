package machine

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stele-os/stele/internal/vm"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestForwards(t *testing.T) {
	cases := []struct {
		pair string
		want vm.Forward
		ok   bool
	}{
		{"8081:80", vm.Forward{Host: 8081, Guest: 80}, true},
		{"0:80", vm.Forward{Guest: 80}, true},
		{"80", vm.Forward{}, false},
		{"x:80", vm.Forward{}, false},
		{"80:0", vm.Forward{}, false},
		{"80:70000", vm.Forward{}, false},
	}
	for _, c := range cases {
		got, err := forwards([]string{c.pair})
		if (err == nil) != c.ok || c.ok && !slices.Equal(got, []vm.Forward{c.want}) {
			t.Errorf("%q: got %v, %v", c.pair, got, err)
		}
	}
	if got, err := forwards(nil); err != nil || got[0].Guest != DemoPort {
		t.Errorf("without any: %v, %v", got, err)
	}
}

func TestRunWithoutAnImage(t *testing.T) {
	var hinted interface{ Hint() string }
	err := Run(t.Context(), RunOptions{ImageDir: t.TempDir()}, &bytes.Buffer{})
	if !errors.As(err, &hinted) || !strings.Contains(hinted.Hint(), "make image") {
		t.Errorf("got %v", err)
	}
}

func TestSummary(t *testing.T) {
	report := ParseReports(readLines(t, "console.txt"))[0]
	report.Failed = []string{"container db: exit code 137"}
	summary := Summary{Machine: &vm.VM{Dir: "/build/run", Accel: "tcg"}, Report: report, URL: "http://127.0.0.1:8080/", Answered: 12345 * time.Millisecond}
	compareGolden(t, "summary.golden", summary.String())
}

func TestProgress(t *testing.T) {
	var out bytes.Buffer
	print := progress(&out, time.Unix(0, 0))
	for i, line := range readLines(t, "console.txt") {
		print(vm.Line{Index: i, Text: line, At: time.Unix(int64(i), 0)})
	}
	compareGolden(t, "progress.golden", out.String())
}

func compareGolden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (run with -update to accept):\n--- got\n%s--- want\n%s", path, got, want)
	}
}
