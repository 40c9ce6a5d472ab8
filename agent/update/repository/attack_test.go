package repository

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// upToDate is a machine that has seen the forge's second publication; old is the first one.
func upToDate(t *testing.T) (f *forge, m *machine, old files) {
	f = newForge(t)
	old = f.snap()
	f.addBundle("1.2.0", nil)
	f.publish()
	m = newMachine(t, f.files["metadata/1.root.json"])
	m.mustRefresh(f.files)
	return f, m, old
}

func TestRollback(t *testing.T) {
	t.Run("everything", func(t *testing.T) {
		_, m, old := upToDate(t)
		m.mustRefuse(old, "new timestamp version 1 must be >= 2")
	})
	t.Run("snapshot, by the key of timestamp", func(t *testing.T) {
		f, m, _ := upToDate(t)
		f.timestampVersion, f.snapshotVersion, f.targetsVersion = 9, 0, 0
		f.publish()
		m.mustRefuse(f.files, "new snapshot version 1 must be >= 2")
	})
	t.Run("targets, by the keys of timestamp and snapshot", func(t *testing.T) {
		f, m, _ := upToDate(t)
		f.targetsVersion = 0
		f.publish()
		m.mustRefuse(f.files, "bad version number error: expected targets.json version")
	})
	t.Run("root", func(t *testing.T) {
		f, m, old := upToDate(t)
		f.publishRoot()
		m.mustRefresh(f.files)
		old["metadata/timestamp.json"] = f.files["metadata/timestamp.json"]
		if err := m.store.remove("2.root.json"); err != nil {
			t.Fatal(err)
		}
		m.mustRefuse(old, "root is version 1, and this machine has seen version 2: the repository was rolled back")
	})
}

// TestFreeze: a repository that is shown for ever ends at its date.
func TestFreeze(t *testing.T) {
	for role, age := range map[string]func(*forge){
		"root":      func(f *forge) { f.rootExpires = today.Add(time.Hour); f.publishRoot() },
		"timestamp": func(f *forge) { f.expires = today.Add(time.Hour); f.publish() },
	} {
		f := newForge(t)
		root := f.files["metadata/1.root.json"]
		age(f)
		m := newMachine(t, root)
		m.mustRefresh(f.files)
		m.now = today.Add(2 * time.Hour)
		m.mustRefuse(f.files, role+".json is expired; it is 2026-11-20T14:00:00Z here")
	}
	// A fresh timestamp in front of the rest does not help.
	f := newForge(t)
	f.expires = today.Add(time.Hour)
	f.publish()
	f.expires = later
	f.refreshTimestamp()
	m := newMachine(t, f.files["metadata/1.root.json"])
	m.now = today.Add(2 * time.Hour)
	m.mustRefuse(f.files, "snapshot.json is expired")
}

// refreshTimestamp signs the snapshot of now with a new timestamp.
func (f *forge) refreshTimestamp() {
	f.timestampVersion++
	m := metadata.Timestamp(f.expires)
	m.Signed.Version = f.timestampVersion
	m.Signed.Meta["snapshot.json"] = f.metaFile(f.snapshotVersion, f.files[fmt.Sprintf("metadata/%d.snapshot.json", f.snapshotVersion)])
	f.files["metadata/timestamp.json"] = sign(f.t, m, f.timestampKeys)
}

// TestMixAndMatch combines files that were all signed, but never together.
func TestMixAndMatch(t *testing.T) {
	for _, withoutHashes := range []bool{false, true} {
		f := newForge(t)
		f.withoutHashes = withoutHashes
		f.publish()
		old := f.snap()
		f.addBundle("1.2.0", nil)
		f.publish()
		for _, name := range []string{"snapshot", "targets"} {
			mixed := f.snap()
			mixed["metadata/3."+name+".json"] = old["metadata/2."+name+".json"]
			want := "hash verification failed"
			if withoutHashes {
				want = "expected"
			}
			newMachine(t, f.files["metadata/1.root.json"]).mustRefuse(mixed, want)
		}
	}
}

// TestFastForwardRecovery: the thief of the online keys has published the highest version there is. The root keys take the keys away, and
// with them what was seen.
func TestFastForwardRecovery(t *testing.T) {
	const highest = 1<<62 - 1
	for name, rotate := range map[string]func(*forge){
		"timestamp": func(f *forge) { f.timestampKeys = []key{newKey(f.t, "timestamp 2")} },
		"snapshot":  func(f *forge) { f.snapshotKeys = []key{newKey(f.t, "snapshot 2")} },
	} {
		for _, lost := range []bool{false, true} {
			f := newForge(t)
			m := newMachine(t, f.files["metadata/1.root.json"])
			good := *f
			f.timestampVersion, f.snapshotVersion, f.targetsVersion = highest, highest, highest
			f.publish()
			m.mustRefresh(f.files)
			good.publish()
			m.mustRefuse(good.files, "must be >=")
			if lost {
				m.destroy(floorsName)
			}
			rotate(&good)
			good.publishRoot()
			good.publish()
			if m.mustRefresh(good.files); m.floors().Timestamp != good.timestampVersion {
				t.Errorf("%s: %+v", name, m.floors())
			}
			m.mustRefresh(good.files)
		}
	}
}

// TestAddedKeyIsNoRecovery: what the old keys signed stays old when a key joins them.
func TestAddedKeyIsNoRecovery(t *testing.T) {
	f, m, old := upToDate(t)
	f.timestampKeys = append(f.timestampKeys, newKey(t, "timestamp 2"))
	old["metadata/2.root.json"] = f.publishRoot()
	m.mustRefuse(old, "must be >=")
}

func TestEndlessData(t *testing.T) {
	for name, limit := range map[string]int{"metadata/2.root.json": maxRootBytes, "metadata/timestamp.json": maxTimestampBytes,
		"metadata/1.snapshot.json": maxSnapshotBytes, "metadata/1.targets.json": maxTargetsBytes} {
		f := newForge(t)
		f.files[name] = append([]byte(`{"a":"`), bytes.Repeat([]byte("a"), limit)...)
		newMachine(t, f.files["metadata/1.root.json"]).mustRefuse(f.files, fmt.Sprintf("cannot take %q of the test's repository: it is larger than %d bytes", name, limit))
	}
}

func TestWrongKeys(t *testing.T) {
	for role, steal := range map[string]func(*forge, key){
		"timestamp": func(f *forge, k key) { f.timestampKeys = []key{k} },
		"snapshot":  func(f *forge, k key) { f.snapshotKeys = []key{k} },
		"targets":   func(f *forge, k key) { f.targetsKeys = []key{k} },
	} {
		f := newForge(t)
		m := newMachine(t, f.files["metadata/1.root.json"])
		steal(f, newKey(t, "stranger"))
		f.publish()
		m.mustRefuse(f.files, "Verifying "+role+" failed, not enough signatures, got 0, want 1")
		// The key of another role is a stranger, too.
		steal(f, newKey(t, map[string]string{"timestamp": "snapshot", "snapshot": "targets", "targets": "timestamp"}[role]))
		f.publish()
		m.mustRefuse(f.files, "not enough signatures")
	}
}

func TestThreshold(t *testing.T) {
	f := newForge(t)
	f.rootKeys = append(f.rootKeys, newKey(t, "root 2"))
	f.rootThreshold = 2
	two := f.publishRoot()
	m := newMachine(t, two)
	both := f.rootKeys
	f.rootKeys = both[:1]
	f.rootThreshold = 1
	f.publishRoot()
	m.mustRefuse(f.files, "not enough signatures, got 1, want 2")
	// The same signature under two names counts once.
	var doc map[string]any
	if err := json.Unmarshal(f.files["metadata/3.root.json"], &doc); err != nil {
		t.Fatal(err)
	}
	first := doc["signatures"].([]any)[0].(map[string]any)
	doc["signatures"] = []any{first, map[string]any{"keyid": both[1].id, "sig": first["sig"]}}
	f.files["metadata/3.root.json"], _ = json.Marshal(doc)
	m.mustRefuse(f.files, "not enough signatures, got 1, want 2")
	f.root--
	f.publishRoot(both[1])
	m.mustRefresh(f.files)
}

func TestRootRotation(t *testing.T) {
	t.Run("chain", func(t *testing.T) {
		f := newForge(t)
		first := f.files["metadata/1.root.json"]
		m := newMachine(t, first)
		for n := range 5 {
			old := f.rootKeys[0]
			f.rootKeys = []key{newKey(t, fmt.Sprint("root ", n))}
			f.targetsKeys = []key{newKey(t, fmt.Sprint("targets ", n))}
			f.publishRoot(old)
		}
		f.publish()
		m.mustRefresh(f.files)
		// The kept chain is enough, and a newer image may start in its middle, and an older one at its beginning.
		late := files{"metadata/timestamp.json": f.files["metadata/timestamp.json"]}
		for _, shipped := range []string{"1", "3", "6", "1"} {
			m.restart(f.files["metadata/"+shipped+".root.json"])
			m.mustRefresh(late)
		}
	})
	t.Run("not signed by the one before", func(t *testing.T) {
		f := newForge(t)
		m := newMachine(t, f.files["metadata/1.root.json"])
		f.rootKeys = []key{newKey(t, "thief")}
		f.publishRoot()
		m.mustRefuse(f.files, `cannot take "metadata/2.root.json" of the test's repository: unsigned metadata error: Verifying root failed, not enough signatures, got 0, want 1`)
	})
	t.Run("not signed by itself", func(t *testing.T) {
		f := newForge(t)
		m := newMachine(t, f.files["metadata/1.root.json"])
		old := f.rootKeys
		f.rootKeys = []key{newKey(t, "root 2")}
		f.publishRoot()
		var doc metadata.Metadata[metadata.RootType]
		if err := json.Unmarshal(f.files["metadata/2.root.json"], &doc); err != nil {
			t.Fatal(err)
		}
		doc.ClearSignatures()
		f.files["metadata/2.root.json"] = sign(t, &doc, old)
		m.mustRefuse(f.files, "not enough signatures, got 0, want 1")
	})
	t.Run("a version is left out", func(t *testing.T) {
		f := newForge(t)
		m := newMachine(t, f.files["metadata/1.root.json"])
		f.root++
		f.files["metadata/2.root.json"] = f.publishRoot()
		m.mustRefuse(f.files, "bad version number, expected 2, got 3")
	})
	t.Run("without end", func(t *testing.T) {
		f := newForge(t)
		m := newMachine(t, f.files["metadata/1.root.json"])
		for range maxRotations + 1 {
			f.publishRoot()
		}
		m.mustRefuse(f.files, "more than 64 new roots of trust at once")
		m.mustRefresh(f.files) // what was verified was kept
	})
}

// TestNewLineage: an operator who has lost the root keys builds an image with a new root of trust, and its versions begin anew.
func TestNewLineage(t *testing.T) {
	f, m, _ := upToDate(t)
	f.publishRoot()
	m.mustRefresh(f.files)
	fresh := newForge(t)
	fresh.rootKeys = []key{newKey(t, "another root")}
	fresh.timestampKeys = []key{newKey(t, "another timestamp")}
	fresh.root = 0
	root := fresh.publishRoot()
	fresh.publish()
	m.restart(root)
	m.mustRefresh(fresh.files)
	if got := m.floors(); got.Root != 1 || got.Timestamp != 2 {
		t.Errorf("%+v", got)
	}
}

// TestRootOfTrustIsTheImages: whoever can write the state cannot bring a root of his own.
func TestRootOfTrustIsTheImages(t *testing.T) {
	f, m, _ := upToDate(t)
	thief := newForge(t)
	thief.rootKeys, thief.targetsKeys = []key{newKey(t, "thief")}, []key{newKey(t, "thief")}
	for _, version := range []int64{0, 1} {
		thief.root = version
		data := thief.publishRoot()
		for _, name := range []string{"root.json", "1.root.json", "2.root.json"} {
			if err := m.store.write(name, data); err != nil {
				t.Fatal(err)
			}
		}
	}
	thief.timestampVersion, thief.snapshotVersion, thief.targetsVersion = 20, 20, 20
	thief.publish()
	delete(thief.files, "metadata/2.root.json")
	m.mustRefuse(thief.files, "Verifying targets failed")
	_ = f
}

func TestTooManyTargets(t *testing.T) {
	f := newForge(t)
	f.targets = map[string]*metadata.TargetFiles{}
	for n := range maxTargets + 1 {
		f.addTarget(fmt.Sprintf("%d.bundle", n), 1, json.RawMessage("{}"))
	}
	f.publish()
	newMachine(t, f.files["metadata/1.root.json"]).mustRefuse(f.files, "it lists 1001 targets, more than 1000")
}

// TestNonsense: signed or not, no document may do more than be refused. Those that panic in go-tuf are refused before.
func TestNonsense(t *testing.T) {
	f := newForge(t)
	root := f.files["metadata/1.root.json"]
	resign := func(name string, change func(string) string) files {
		bad := maps.Clone(f.files)
		bad[name] = []byte(change(string(bad[name])))
		return bad
	}
	replace := func(old, new string) func(string) string {
		return func(s string) string { return strings.Replace(s, old, new, 1) }
	}
	for _, c := range []struct {
		name   string
		change func(string) string
		want   string
	}{
		{"metadata/1.targets.json", func(string) string { return `{"signatures":[],"signed":{"_type":"targets","targets":{"x":null}}}` }, "null at byte"},
		{"metadata/timestamp.json", func(string) string {
			return `{"signatures":[],"signed":{"_type":"timestamp","meta":{"snapshot.json":null}}}`
		}, "null at byte"},
		{"metadata/timestamp.json", func(string) string { return `{"signatures":[],"signed":{"_type":"timestamp","meta":{}}}` }, "lists no snapshot.json"},
		{"metadata/timestamp.json", func(string) string { return "" }, "it is no JSON object"},
		{"metadata/timestamp.json", func(string) string { return "<html>" }, "it is no JSON object"},
		{"metadata/timestamp.json", func(s string) string { return s[:len(s)-20] }, "it is no TUF metadata: unexpected EOF"},
		{"metadata/timestamp.json", func(s string) string { return s + "{}" }, "something follows its end"},
		{"metadata/timestamp.json", replace(`"signed"`, `"Signed":{},"signed"`), `"signed" stands twice in one object`},
		{"metadata/timestamp.json", replace(`"signed"`, `"x":`+strings.Repeat("[", 20)+strings.Repeat("]", 20)+`,"signed"`), "nested deeper than 12"},
		{"metadata/timestamp.json", func(string) string { return string(f.files["metadata/1.snapshot.json"]) }, "expected metadata type timestamp"},
	} {
		newMachine(t, root).mustRefuse(resign(c.name, c.change), c.want)
	}
}
