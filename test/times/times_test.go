package main

import (
	"bytes"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/stele-os/stele/internal/golden"
)

const events = `go: downloading something
{"Action":"start","Package":"example.org/stele/test/qemu"}
{"Action":"run","Package":"example.org/stele/test/qemu","Test":"TestA"}
{"Action":"output","Package":"example.org/stele/test/qemu","Test":"TestA","Output":"=== RUN   TestA\n"}
{"Action":"output","Package":"example.org/stele/test/qemu","Test":"TestB","Output":"it broke\n"}
{"Action":"pass","Package":"example.org/stele/test/qemu","Test":"TestA","Elapsed":7.5}
{"Action":"fail","Package":"example.org/stele/test/qemu","Test":"TestB","Elapsed":61.25}
{"Action":"output","Package":"example.org/stele/test/qemu","Output":"FAIL\n"}
{"Action":"fail","Package":"example.org/stele/test/qemu","Elapsed":70}
{not an event}
`

var followed = []Test{
	{"example.org/stele/test/qemu", "TestA", 7.5, "pass"}, {"example.org/stele/test/qemu", "TestB", 61.25, "fail"}, {"example.org/stele/test/qemu", "", 70, "fail"},
}

func TestFollow(t *testing.T) {
	for _, c := range []struct {
		verbose bool
		want    string
	}{
		{false, "go: downloading something\nit broke\nFAIL\n{not an event}\n"},
		{true, "go: downloading something\n=== RUN   TestA\nit broke\nFAIL\n{not an event}\n"},
	} {
		var out bytes.Buffer
		tests := follow(strings.NewReader(events), &out, c.verbose)
		if out.String() != c.want || !reflect.DeepEqual(tests, followed) {
			t.Errorf("verbose %v: %v\n%s", c.verbose, tests, &out)
		}
	}
}

func TestParts(t *testing.T) {
	file := filepath.Join(t.TempDir(), "times.json")
	quick := []Test{{"example.org/stele/agent/boot", "", 0.5, "pass"}, {"example.org/stele/agent/plan", "", 0.25, "pass"}}
	for _, p := range []Part{{"images", 12, nil}, {"unit tests", 31.5, quick}, {"QEMU", 71.25, followed}} {
		if err := note(file, p); err != nil {
			t.Fatal(err)
		}
	}
	parts, err := read(file)
	if err != nil {
		t.Fatal(err)
	}
	golden.Compare(t, "testdata/table.golden", Table(parts))
}

// A part that fails is noted all the same, and its failure is not lost.
func TestExecute(t *testing.T) {
	var out bytes.Buffer
	p, err := execute("words", []string{"echo", "two", "words"}, &out, false)
	if err != nil || out.String() != "two words\n" || p.Name != "words" || p.Seconds <= 0 {
		t.Errorf("%+v, %v, %q", p, err, &out)
	}
	if p, err := execute("failing", []string{"false"}, &out, false); err == nil || p.Seconds <= 0 {
		t.Errorf("%+v, %v", p, err)
	}
	if _, err := execute("missing", []string{"/no/such/program"}, &out, false); err == nil {
		t.Error("a missing program is no error")
	}
}
