package update

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stele-os/stele/agent/state"
)

func TestRecords(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "update")
	r := records{dir: dir}
	if err := r.load(); err != nil || r.pending != nil || r.rejections != nil {
		t.Fatalf("%+v, %v", r, err)
	}
	if err := r.request(pending{Version: "1.1.0", Deadline: time.Minute}); err != nil {
		t.Fatal(err)
	}
	for i := range maxRejections + 3 {
		if noted, err := r.reject(state.Rejection{Version: "1", RootHash: fmt.Sprint(i), Reason: strings.Repeat("ü", maxTextBytes)}); !noted || err != nil {
			t.Fatal(err)
		}
	}
	if noted, _ := r.reject(state.Rejection{RootHash: "20", Reason: "another"}); noted {
		t.Error("it is noted twice")
	}
	again := records{dir: dir}
	if err := again.load(); err != nil || again.pending == nil || again.pending.Deadline != time.Minute || len(again.rejections) != maxRejections {
		t.Fatalf("%+v, %v", again, err)
	}
	if text := again.rejections[0].Reason; len(text) > maxTextBytes || !utf8.ValidString(text) {
		t.Errorf("%d bytes: %q", len(text), text)
	}
	if err := again.accept("20"); err != nil || again.rejected("20") || !again.rejected("21") {
		t.Errorf("%v", err)
	}
	if err := again.forget(); err != nil {
		t.Error(err)
	}
	if err := r.load(); err != nil || r.pending != nil || len(r.rejections) != maxRejections-1 {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestTornRecords: what cannot be read is none, and does not hide the other file.
func TestTornRecords(t *testing.T) {
	for name, content := range map[string]string{"empty": "", "half": `{"schema":1,"ver`, "zero bytes": "\x00\x00\x00", "another schema": `{"schema":2}`, "a list": `[]`} {
		dir := t.TempDir()
		r := records{dir: dir}
		if _, err := r.reject(state.Rejection{RootHash: "1"}); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(r.pendingPath(), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		err := r.load()
		if r.pending != nil || len(r.rejections) != 1 || err == nil && name != "another schema" {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
}

// FuzzRecords: whatever lies in the files, loading ends, and what it gives can be kept.
func FuzzRecords(f *testing.F) {
	f.Add([]byte(`{"schema":1,"version":"1.1.0"}`), []byte(`[{"version":"1.1.0","rootHash":"ab","reason":"hung"}]`))
	f.Fuzz(func(t *testing.T, request, rejections []byte) {
		r := records{dir: t.TempDir()}
		if os.WriteFile(r.pendingPath(), request, 0o600) != nil || os.WriteFile(r.rejectedPath(), rejections, 0o600) != nil {
			t.Skip()
		}
		_ = r.load()
		if len(r.rejections) > maxRejections {
			t.Fatalf("%d rejections", len(r.rejections))
		}
		if r.pending != nil {
			if err := r.request(*r.pending); err != nil {
				t.Fatal(err)
			}
		}
	})
}
