package machine

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stele-os/stele/internal/golden"
	"github.com/stele-os/stele/internal/vm"
)

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
	golden.Compare(t, "testdata/summary.golden", summary.String())
}

func TestProgress(t *testing.T) {
	var out bytes.Buffer
	print := progress(&out, time.Unix(0, 0))
	for i, line := range readLines(t, "console.txt") {
		print(vm.Line{Index: i, Text: line, At: time.Unix(int64(i), 0)})
	}
	golden.Compare(t, "testdata/progress.golden", out.String())
}
