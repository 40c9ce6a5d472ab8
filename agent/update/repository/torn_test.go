package repository

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// destroy removes both copies of a kept file.
func (m *machine) destroy(name string) {
	m.t.Helper()
	if err := m.store.remove(name); err != nil {
		m.t.Fatal(err)
	}
}

func (m *machine) floors() floors { return newestFloors(m.store.read(floorsName, maxFloorsBytes)) }

// tears are what a power cut, or a bad disk, makes of a file. A nil result: there is no file.
var tears = map[string]func([]byte) []byte{
	"empty":   func([]byte) []byte { return []byte{} },
	"half":    func(b []byte) []byte { return b[:len(b)/2] },
	"zeroes":  func(b []byte) []byte { return make([]byte, len(b)) },
	"tail":    func(b []byte) []byte { return append(bytes.Clone(b[:len(b)/2]), make([]byte, len(b)/2)...) },
	"flipped": func(b []byte) []byte { c := bytes.Clone(b); c[len(c)/2] ^= 1; return c },
	"missing": func([]byte) []byte { return nil },
}

func tear(t *testing.T, path string, how func([]byte) []byte) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if data = how(data); data == nil {
		err = os.Remove(path)
	} else {
		err = os.WriteFile(path, data, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// keptFiles are all names below Dir after a rotation of the root.
var keptFiles = []string{"2.root.json", "timestamp.json", "snapshot.json", "targets.json", floorsName}

// tornMachine has seen everything twice: versions 2 of root, timestamp, snapshot and targets. The attacker replays versions 1.
func tornMachine(t *testing.T) (m *machine, now, old files) {
	f, m, old := upToDate(t)
	f.publishRoot()
	m.mustRefresh(f.files)
	for _, name := range keptFiles {
		for _, suffix := range []string{"", copySuffix} {
			info, err := os.Stat(filepath.Join(m.store.dir, name+suffix))
			if err != nil || info.Mode() != 0o600 {
				t.Fatalf("%v, %v", info, err)
			}
		}
	}
	return m, f.files, old
}

// TestTornState: whatever is torn, in one copy or in both, in one file or in all of a kind, an attacker with an old repository is refused and
// the true repository is taken, and the floors are as they were.
func TestTornState(t *testing.T) {
	both := []string{"", copySuffix}
	for how, damage := range tears {
		for _, name := range keptFiles {
			for _, copies := range [][]string{both[:1], both[1:], both} {
				t.Run(fmt.Sprintf("%s %s %d", how, name, len(copies)), func(t *testing.T) {
					checkTorn(t, func(m *machine) {
						for _, suffix := range copies {
							tear(t, filepath.Join(m.store.dir, name+suffix), damage)
						}
					})
				})
			}
		}
	}
}

// TestTornCombinations: floors, timestamp and snapshot each whole, first copy torn, second copy torn or both torn, root and targets whole or
// both torn: 256 states but the four in which both copies of all three are gone at the same time, which nobody can tell from a new machine.
func TestTornCombinations(t *testing.T) {
	m, now, old := tornMachine(t)
	image := map[string][]byte{}
	for _, name := range keptFiles {
		image[name], _ = os.ReadFile(filepath.Join(m.store.dir, name))
	}
	for state := range 256 {
		torn := map[string]bool{} // by name: both copies
		for i, name := range keptFiles {
			bits := []int{state & 1 * 3, state >> 2 & 3, state >> 4 & 3, state >> 1 & 1 * 3, state >> 6 & 3}[i] // in the order of keptFiles
			torn[name] = bits == 3
			for j, suffix := range []string{"", copySuffix} {
				data := image[name]
				if bits>>j&1 == 1 {
					data = data[:len(data)/2]
				}
				if err := os.WriteFile(filepath.Join(m.store.dir, name+suffix), data, 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}
		if torn[floorsName] && torn["timestamp.json"] && torn["snapshot.json"] {
			continue
		}
		if _, err := m.Refresh(t.Context(), old); err == nil {
			t.Fatalf("state %08b: the old repository is taken", state)
		}
		if targets, err := m.Refresh(t.Context(), now); err != nil || versions(targets) != "1.1.0 1.2.0" {
			t.Fatalf("state %08b: the true repository: %v", state, err)
		}
	}
}

func checkTorn(t *testing.T, damage func(*machine)) {
	m, now, old := tornMachine(t)
	want := m.floors()
	damage(m)
	m.restart(m.root)
	if targets, err := m.Refresh(t.Context(), old); err == nil {
		t.Fatalf("the old repository is taken: %+v", targets)
	}
	if targets := m.mustRefresh(now); versions(targets) != "1.1.0 1.2.0" {
		t.Fatalf("%+v", targets)
	}
	got := m.floors()
	if got.Root != want.Root || got.Timestamp != want.Timestamp || got.Snapshot != want.Snapshot || got.Targets != want.Targets {
		t.Errorf("floors were %+v and are %+v", want, got)
	}
	// Both copies are whole again.
	for _, suffix := range []string{"", copySuffix} {
		data, err := os.ReadFile(filepath.Join(m.store.dir, floorsName+suffix))
		if _, ok := decodeFloors(data); !ok {
			t.Errorf("floors%s: %v", suffix, err)
		}
	}
}

// TestKeptTimestampBelowTheFloor: an older timestamp that comes back under /var, by a bad disk or a hand, is no reason to take the same one from the source.
func TestKeptTimestampBelowTheFloor(t *testing.T) {
	f, m, old := upToDate(t)
	m.mustRefresh(f.files)
	for _, name := range []string{"timestamp.json", "snapshot.json"} {
		m.destroy(name)
	}
	if err := m.store.write("timestamp.json", old["metadata/timestamp.json"]); err != nil {
		t.Fatal(err)
	}
	m.mustRefuse(old, "the repository was rolled back")
	m.mustRefresh(f.files)
}
