package containerd

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// TestCorruptDatabaseIsToldAndDiscarded starts the plugins over what a power cut may leave behind. All plugins but the task manager
// and the overlay snapshotter (they need root) come before it or do not matter here.
func TestCorruptDatabaseIsToldAndDiscarded(t *testing.T) {
	c := DefaultConfig()
	c.Root, c.State = t.TempDir(), t.TempDir()
	path := filepath.Join(c.Root, "io.containerd.metadata.v1.bolt", "meta.db")
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, make([]byte, 16<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := loadPlugins(t.Context(), c)
	if got := exitCode(err); got != ExitCorrupt {
		t.Fatalf("exit code %d for %v, want %d", got, err, ExitCorrupt)
	}
	for range 2 {
		if err := c.DiscardDatabase(); err != nil {
			t.Fatal(err)
		}
	}
	if exitCode(errors.New("no space left on device")) == ExitCorrupt {
		t.Error("a full disk costs the database")
	}
}
