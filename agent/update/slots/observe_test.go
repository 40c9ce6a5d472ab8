package slots

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"

	"github.com/stele-os/stele/internal/gpt"
)

// hashOf makes a root hash for a version.
func hashOf(version string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(version))) }

// tableOf makes the table of a disk whose slots carry these root hashes; "" is what the builder leaves in an empty slot, "placeholder" what
// Begin does.
func tableOf(t testing.TB, a, b string) *gpt.Table {
	t.Helper()
	guids := func(hash string, n byte) (gpt.GUID, gpt.GUID) {
		switch hash {
		case "":
			return gpt.GUID{n, 1}, gpt.GUID{n, 2}
		case "placeholder":
			random := bytes.NewReader(bytes.Repeat([]byte{n, 7, n}, 20))
			first, _ := placeholder(random)
			second, err := placeholder(random)
			if err != nil {
				t.Fatal(err)
			}
			return first, second
		}
		root, verity, err := halves(hash)
		if err != nil {
			t.Fatal(err)
		}
		return root, verity
	}
	table := gpt.New(gpt.GUID{9}, 32<<20, gpt.DefaultSectorSize)
	rootA, verityA := guids(a, 0xa)
	rootB, verityB := guids(b, 0xb)
	for _, p := range []gpt.Partition{
		{Name: "esp", Type: gpt.TypeESP, GUID: gpt.GUID{1}},
		{Name: "root-a", Type: gpt.TypeRootX86_64, GUID: rootA}, {Name: "root-a-verity", Type: gpt.TypeRootX86_64Verity, GUID: verityA},
		{Name: "root-b", Type: gpt.TypeRootX86_64, GUID: rootB}, {Name: "root-b-verity", Type: gpt.TypeRootX86_64Verity, GUID: verityB},
	} {
		if _, err := table.Append(p, 2<<20); err != nil {
			t.Fatal(err)
		}
	}
	return table
}

// entriesOf are boot entries with these file names, each for the root hash of its version; "NAME=VERSION" says that another one is inside,
// "NAME!" that it cannot be read.
func entriesOf(t testing.TB, files ...string) []Entry {
	t.Helper()
	var entries []Entry
	for _, f := range files {
		file, broken := strings.CutSuffix(f, "!")
		file, inside, other := strings.Cut(file, "=")
		name, own := ownName(file)
		if !own {
			t.Fatalf("%q is no name of ours", file)
		}
		e := Entry{File: file, Name: name, Version: name.Version, RootHash: hashOf(name.Version)}
		if other {
			e.Version, e.RootHash = inside, hashOf(inside)
		}
		if broken {
			e = Entry{File: file, Name: name, Err: fmt.Errorf("cannot read boot entry %q: it is cut off", file)}
		}
		entries = append(entries, e)
	}
	return entries
}

func TestObserve(t *testing.T) {
	v0, v1 := hashOf("1.0.0"), hashOf("1.1.0")
	for _, c := range []struct {
		name    string
		a, b    string
		trees   string // slots that hold a hash tree
		entries []string
		running string
		want    string // "a: ...; b: ..."
	}{
		{"factory", v0, "", "a", []string{"stele_1.0.0.efi"}, v0,
			"a: committed 1.0.0 running; b: empty"},
		{"first staging has begun", v0, "placeholder", "a", []string{"stele_1.0.0.efi"}, v0,
			"a: committed 1.0.0 running; b: writing"},
		{"power cut between PARTUUIDs and entry", v0, v1, "ab", []string{"stele_1.0.0.efi"}, v0,
			"a: committed 1.0.0 running; b: writing orphaned"},
		{"staged", v0, v1, "ab", []string{"stele_1.0.0.efi", "stele_1.1.0+0.efi"}, v0,
			"a: committed 1.0.0 running; b: staged 1.1.0"},
		{"armed", v0, v1, "ab", []string{"stele_1.0.0.efi", "stele_1.1.0+2.efi"}, v0,
			"a: committed 1.0.0 running; b: trying 1.1.0 left 2"},
		{"probation", v0, v1, "ab", []string{"stele_1.0.0.efi", "stele_1.1.0+1-1.efi"}, v1,
			"a: committed 1.0.0; b: trying 1.1.0 left 1 done 1 running"},
		{"probation, last try", v0, v1, "ab", []string{"stele_1.0.0.efi", "stele_1.1.0+0-2.efi"}, v1,
			"a: committed 1.0.0; b: trying 1.1.0 done 2 running"},
		{"back on the old version", v0, v1, "ab", []string{"stele_1.0.0.efi", "stele_1.1.0+0-2.efi"}, v0,
			"a: committed 1.0.0 running; b: rejected 1.1.0 done 2 (its tries are used up, or it was taken back)"},
		{"both committed", v0, v1, "ab", []string{"stele_1.0.0.efi", "stele_1.1.0.efi"}, v1,
			"a: committed 1.0.0; b: committed 1.1.0 running"},
		{"rename cut short: the better name counts", v0, v1, "ab", []string{"stele_1.0.0.efi", "stele_1.1.0+0-1.efi", "stele_1.1.0.efi"}, v1,
			"a: committed 1.0.0; b: committed 1.1.0 running"},
		{"rename of the entry that is not running cut short", v0, v1, "ab", []string{"stele_1.0.0.efi", "stele_1.1.0+0.efi", "stele_1.1.0+2.efi"}, v0,
			"a: committed 1.0.0 running; b: trying 1.1.0 left 2 strays [stele_1.1.0+0.efi]"},
		{"entry of another root", v0, "", "a", []string{"stele_1.0.0.efi", "stele_1.1.0+0.efi"}, v0,
			`a: committed 1.0.0 running; b: damaged (boot entry "stele_1.1.0+0.efi" starts a root that is on neither slot) strays [stele_1.1.0+0.efi]`},
		{"entry cut off", v0, v1, "ab", []string{"stele_1.0.0.efi", "stele_1.1.0+0-2.efi!"}, v0,
			`a: committed 1.0.0 running; b: damaged 1.1.0 done 2 orphaned (cannot read boot entry "stele_1.1.0+0-2.efi": it is cut off) strays [stele_1.1.0+0-2.efi]`},
		{"entry of another version", v0, v1, "ab", []string{"stele_1.0.0.efi", "stele_1.2.0+0.efi=1.1.0"}, v0,
			`a: committed 1.0.0 running; b: damaged 1.2.0 (boot entry "stele_1.2.0+0.efi" holds version "1.1.0")`},
		{"running without an entry", v0, v1, "ab", []string{"stele_1.1.0.efi"}, v0,
			"a: damaged running (it runs, and no boot entry starts it); b: committed 1.1.0"},
		{"running from another disk", v0, v1, "ab", []string{"stele_1.0.0.efi", "stele_1.1.0.efi"}, hashOf("1.9.0"),
			"a: committed 1.0.0; b: committed 1.1.0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			table := tableOf(t, c.a, c.b)
			pairs, err := findPairs(table)
			if err != nil {
				t.Fatal(err)
			}
			pairs[0].tree, pairs[1].tree = strings.Contains(c.trees, "a"), strings.Contains(c.trees, "b")
			got := observe(table, pairs, entriesOf(t, c.entries...), c.running)
			if text := show(got[0]) + "; " + show(got[1]); text != c.want {
				t.Errorf("got  %s\nwant %s", text, c.want)
			}
		})
	}
}

// show is a slot in words.
func show(s Slot) string {
	text := s.Name + ": " + string(s.State)
	if s.Version != "" {
		text += " " + s.Version
	}
	if s.Left > 0 {
		text += fmt.Sprintf(" left %d", s.Left)
	}
	if s.Done > 0 {
		text += fmt.Sprintf(" done %d", s.Done)
	}
	if s.Slot.Running {
		text += " running"
	}
	if s.orphaned {
		text += " orphaned"
	}
	if s.Reason != "" {
		text += " (" + s.Reason + ")"
	}
	if s.strays != nil {
		text += fmt.Sprintf(" strays %v", s.strays)
	}
	return text
}

func TestFindPairsRefuses(t *testing.T) {
	table := tableOf(t, "", "")
	table.Partitions = table.Partitions[:4]
	if _, err := findPairs(table); err == nil {
		t.Error("a disk with one slot has two")
	}
}

func TestPlaceholders(t *testing.T) {
	pairs, err := findPairs(tableOf(t, hashOf("1.0.0"), "placeholder"))
	if err != nil {
		t.Fatal(err)
	}
	if pairs[0].cleared() || !pairs[1].cleared() || pairs[1].root.GUID == pairs[1].verity.GUID {
		t.Errorf("%s, %s", pairs[0].root.GUID, pairs[1].root.GUID)
	}
	if _, err := placeholder(strings.NewReader("too short")); err == nil {
		t.Error("a placeholder without randomness")
	}
}
