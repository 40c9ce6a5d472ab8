package containers

import (
	"os"
	"path/filepath"
	"testing"
)

func TestCopyEtcKeepsTheInode(t *testing.T) {
	dir := t.TempDir()
	o := Options{RunDir: filepath.Join(dir, "run"), EtcDir: filepath.Join(dir, "etc"), Logf: t.Logf}
	copyEtc(o) // no source yet: empty files, so that they can be mounted
	path := filepath.Join(o.etcCopies(), "resolv.conf")
	before, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(o.EtcDir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"nameserver 192.0.2.1\nnameserver 192.0.2.2\n", "nameserver 192.0.2.3\n"} {
		if err := os.WriteFile(filepath.Join(o.EtcDir, "resolv.conf"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		copyEtc(o)
		got, err := os.ReadFile(path)
		if err != nil || string(got) != text {
			t.Errorf("copy %q, error %v, want %q", got, err, text)
		}
	}
	after, err := os.Stat(path)
	if err != nil || !os.SameFile(before, after) {
		t.Error("the copy is another file now: a mount in a container would still show the old one")
	}
}
