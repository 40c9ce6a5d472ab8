package repository

import (
	"os"
	"path/filepath"
	"testing"
)

// TestSecurityFloor: it survives a torn copy, only rises, stays through a rotation of online keys, and belongs to its root of trust.
func TestSecurityFloor(t *testing.T) {
	ours := newestFloors(nil)
	if ours.Security != 0 {
		t.Fatal(ours)
	}
	f := floors{Generation: 3, Security: 2, Timestamp: 9, RootKeys: []string{"a"}, TimestampKeys: []string{"b"}}
	f.fall()
	if f.Security != 2 || f.Timestamp != 0 {
		t.Errorf("%+v", f)
	}
	if got, ok := decodeFloors(f.encode()); !ok || got.Security != 2 {
		t.Errorf("%+v", got)
	}
}

// TestRaiseSecurityFloor uses the files: a torn copy does not lower it, a refresh keeps it, another root of trust begins anew.
func TestRaiseSecurityFloor(t *testing.T) {
	f := newForge(t)
	root := f.files["metadata/1.root.json"]
	m := newMachine(t, root)
	is := func(want int64) {
		t.Helper()
		m.restart(m.o.Root)
		if got, err := m.SecurityFloor(t.Context()); err != nil || got != want {
			t.Errorf("%d instead of %d, %v", got, want, err)
		}
	}
	is(0)
	for _, step := range []struct{ raise, want int64 }{{2, 2}, {1, 2}, {5, 5}} {
		if err := m.RaiseSecurityFloor(t.Context(), step.raise); err != nil {
			t.Fatal(err)
		}
		is(step.want)
		for _, name := range []string{floorsName, floorsName + copySuffix} {
			if err := os.WriteFile(filepath.Join(m.o.Dir, name), []byte("torn"), 0o600); err != nil {
				t.Fatal(err)
			}
			is(step.want)
			m.mustRefresh(f.files) // makes the torn copy anew
			is(step.want)
		}
	}
	other := newForge(t)
	other.rootKeys = []key{newKey(t, "another root")}
	m.restart(other.publishRoot())
	is(0)
}
