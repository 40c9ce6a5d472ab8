package containers

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestCopyLines(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.log")
	l, err := openLogFile(path, logBounds{})
	if err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("x", maxLineBytes+10)
	clock := func() time.Time { return epoch }
	copyLines(l, "stdout", strings.NewReader("one\n\n"+long+"\nlast without end"), clock)
	if err := l.close(); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	p := "2026-01-02T03:04:05Z stdout "
	want := p + "F one\n" + p + "F \n" + p + "P " + long[:maxLineBytes] + "\n" + p + "F " + long[maxLineBytes:] + "\n" + p + "F last without end\n"
	if string(got) != want {
		t.Errorf("got  %.200q\nwant %.200q", got, want)
	}
}

// TestLogFileIsBounded writes much more than is kept, and reopens in between as a new start of the container does.
func TestLogFileIsBounded(t *testing.T) {
	for files := 1; files <= 3; files++ {
		t.Run(fmt.Sprint(files), func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "a.log")
			bounds := logBounds{sizeBytes: 100, files: files}
			for range 3 {
				l, err := openLogFile(path, bounds)
				if err != nil {
					t.Fatal(err)
				}
				for i := range 50 {
					if err := l.write(fmt.Appendf(nil, "record %04d\n", i)); err != nil {
						t.Fatal(err)
					}
				}
				if err := l.close(); err != nil {
					t.Fatal(err)
				}
			}
			found, err := filepath.Glob(filepath.Join(dir, "*"))
			if err != nil || len(found) != files {
				t.Fatalf("files %q, error %v, want %d", found, err, files)
			}
			for _, f := range found {
				if info, _ := os.Stat(f); info.Size() > bounds.sizeBytes {
					t.Errorf("%s has %d bytes, more than %d", f, info.Size(), bounds.sizeBytes)
				}
			}
			newest, _ := os.ReadFile(path)
			if !bytes.HasSuffix(newest, []byte("record 0049\n")) {
				t.Errorf("the newest record is not in the newest file: %q", newest)
			}
		})
	}
}

// TestLoggersReadFIFOs plays the shim: it opens the FIFOs, writes, and goes away; then a second life of the container follows.
func TestLoggersReadFIFOs(t *testing.T) {
	dir := t.TempDir()
	l := newLoggers(Options{RunDir: filepath.Join(dir, "run"), LogDir: filepath.Join(dir, "log")})
	for life := range 2 {
		if err := l.open("a", logBounds{}); err != nil {
			t.Fatal(err)
		}
		out, errOut := l.paths("a")
		for path, text := range map[string]string{out: "to out", errOut: "to err"} {
			f, err := os.OpenFile(path, os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(f, "%s %d\n", text, life)
			f.Close()
		}
		l.finish("a")
	}
	l.close()
	got, err := os.ReadFile(filepath.Join(dir, "log", "a.log"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{" stdout F to out 0\n", " stderr F to err 0\n", " stdout F to out 1\n", " stderr F to err 1\n"} {
		if !strings.Contains(string(got), want) {
			t.Errorf("%q is missing in\n%s", want, got)
		}
	}
}
