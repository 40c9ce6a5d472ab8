package audit

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func fixed() time.Time { return time.Unix(1_700_000_000, 0) }

func lines(t *testing.T, path string) []Record {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var records []Record
	for line := range strings.Lines(string(content)) {
		var r Record
		if err := json.Unmarshal([]byte(line), &r); err == nil {
			records = append(records, r)
		}
	}
	return records
}

func TestFamiliesAreBoundedAndApart(t *testing.T) {
	dir := t.TempDir()
	l := Open(Options{Dir: dir, FileBytes: 1000, Files: 3, Now: fixed})
	defer l.Close()
	if err := l.Append(Record{Event: "begin", Procedure: "/a/b"}, true); err != nil {
		t.Fatal(err)
	}
	for range 500 {
		if err := l.Append(Record{Event: "handshake", Remote: "192.0.2.1", Error: "no certificate"}, false); err != nil {
			t.Fatal(err)
		}
	}
	if got := lines(t, filepath.Join(dir, Changes)); len(got) != 1 || got[0].Event != "begin" {
		t.Errorf("the change is gone: %v", got)
	}
	var total int64
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		info, _ := e.Info()
		total += info.Size()
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %o", e.Name(), info.Mode().Perm())
		}
	}
	if len(entries) != 4 || total > 4000 {
		t.Errorf("%d files with %d bytes", len(entries), total)
	}
}

func TestTornLine(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, Changes)
	if err := os.WriteFile(path, []byte(`{"event":"begin"}`+"\n"+`{"event":"en`), 0o600); err != nil {
		t.Fatal(err)
	}
	l := Open(Options{Dir: dir, Now: fixed})
	defer l.Close()
	if err := l.Append(Record{Event: "end"}, true); err != nil {
		t.Fatal(err)
	}
	if got := lines(t, path); len(got) != 2 || got[1].Event != "end" {
		t.Errorf("%v", got)
	}
}

func TestFullDiskIsCounted(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "audit")
	if err := os.WriteFile(dir, nil, 0o600); err != nil { // a file where the directory should be: nothing can be written
		t.Fatal(err)
	}
	l := Open(Options{Dir: dir, Now: fixed})
	defer l.Close()
	for range 3 {
		if err := l.Append(Record{Event: "end"}, true); err == nil {
			t.Fatal("it says nothing")
		}
	}
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	if err := l.Append(Record{Event: "end"}, true); err != nil {
		t.Fatal(err)
	}
	if got := lines(t, filepath.Join(dir, Changes)); len(got) != 2 || got[0].Lost != 3 {
		t.Errorf("%+v", got)
	}
}
