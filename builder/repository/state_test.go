package repository

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stele-os/stele/internal/golden"
	"github.com/theupdateframework/go-tuf/v2/metadata"
)

func TestInitRefuses(t *testing.T) {
	p := newPlace(t, nil)
	for _, c := range []struct {
		name  string
		dir   string
		keys  string
		roles map[string]RoleKeys
		want  string
	}{
		{"there is one", p.options.Dir, p.keys, nil, "there is one already"},
		{"keys inside", filepath.Join(t.TempDir(), "r"), "inside", nil, "it lies inside of the repository"},
		{"threshold", filepath.Join(t.TempDir(), "r"), p.keys, map[string]RoleKeys{metadata.ROOT: {Make: 1, Threshold: 2}}, "a threshold of 2 needs as many keys, and it has 1"},
		{"twice the same", filepath.Join(t.TempDir(), "r"), p.keys, map[string]RoleKeys{metadata.ROOT: {Sources: []string{p.keyFiles("root")[0], p.keyFiles("root")[0]}}}, "2 of its 2 keys are the same"},
		{"no key", filepath.Join(t.TempDir(), "r"), p.keys, map[string]RoleKeys{metadata.ROOT: {Sources: []string{t.TempDir()}}}, "it holds 0 instead of one"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := p.options
			o.Dir = c.dir
			if c.keys == "inside" {
				c.keys = filepath.Join(c.dir, "keys")
			}
			o.Keys = p.ring(c.keys)
			if err := Init(t.Context(), o, c.roles); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestOneAtATime(t *testing.T) {
	p := newPlace(t, nil)
	p.must(p.change(func(*Repository) error {
		_, err := Open(p.options)
		if err == nil || !strings.Contains(err.Error(), "another command is changing it") {
			t.Errorf("got %v", err)
		}
		_, err = Read(p.options)
		return err
	}))
	_, err := Open(p.options)
	p.must(err)
}

// TestOpenRefuses holds that a repository whose files clients would refuse is not signed on.
func TestOpenRefuses(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(p *place)
		want  string
	}{
		{"not signed", func(p *place) { edit(p, timestampFile, `"version": 2`, `"version": 9`) }, "timestamp.json is not valid"},
		{"targets changed", func(p *place) { edit(p, "2.targets.json", "1.0.0", "1.0.1") }, "2.targets.json is not what snapshot 2 says"},
		{"snapshot changed", func(p *place) { edit(p, "2.snapshot.json", `"version": 2`, `"version": 3`) }, "2.snapshot.json is not what timestamp.json says"},
		{"snapshot gone", func(p *place) { p.must(os.Remove(p.metadata("2.snapshot.json"))) }, "no such file"},
		{"root of another", func(p *place) { p.must(os.Rename(p.metadata("1.root.json"), p.metadata("2.root.json"))) }, "it has no metadata/1.root.json"},
		{"root of a wrong version", func(p *place) {
			text, _ := os.ReadFile(p.metadata("1.root.json"))
			put(p.t, p.metadata("2.root.json"), text)
		}, "2.root.json has version 1"},
		{"half a file", func(p *place) { p.must(os.Truncate(p.metadata(timestampFile), 100)) }, "cannot decode timestamp.json"},
		{"empty file", func(p *place) { p.must(os.Truncate(p.metadata("1.root.json"), 0)) }, "cannot decode 1.root.json"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPlace(t, nil)
			p.must(p.publish(testImage{version: "1.0.0"}, PublishOptions{}))
			c.spoil(p)
			if _, err := Open(p.options); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func edit(p *place, name, from, to string) {
	text, err := os.ReadFile(p.metadata(name))
	p.must(err)
	put(p.t, p.metadata(name), []byte(strings.ReplaceAll(string(text), from, to)))
}

// TestSweep holds that what killed commands have left goes away.
func TestSweep(t *testing.T) {
	p := newPlace(t, nil)
	left := []string{put(t, p.metadata(".timestamp.json.tmp-1"), nil), put(t, filepath.Join(p.options.Dir, targetsDir, "..demo.tmp-2"), nil)}
	p.must(p.change(func(*Repository) error { return nil }))
	for _, path := range left {
		if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is still there", path)
		}
	}
}

func TestList(t *testing.T) {
	seeds = 50
	p := newPlace(t, map[string]RoleKeys{metadata.ROOT: {Make: 3, Threshold: 2}})
	p.must(p.publish(testImage{version: "1.0.0"}, PublishOptions{}))
	p.must(p.publish(testImage{version: "1.1.0~rc1"}, PublishOptions{MinimumVersion: "1.0.0"}))
	p.must(p.publish(testImage{version: "1.1.0"}, PublishOptions{Offline: true}))
	r, err := Read(p.options)
	p.must(err)
	l, err := r.List()
	p.must(err)
	var out strings.Builder
	p.must(l.Write(&out))
	golden.Compare(t, "testdata/list.golden", out.String())
}

func TestExpiresSet(t *testing.T) {
	e := DefaultExpires()
	if err := e.Set("timestamp=36h,root=1000d"); err != nil || e.String() != "root=1000d,snapshot=30d,targets=365d,timestamp=36h0m0s" {
		t.Errorf("got %s, %v", e, err)
	}
	for _, text := range []string{"", "timestamp", "timestamp=", "mirrors=1d", "root=0d", "root=-1d", "root=99999d", "root=1s"} {
		if err := DefaultExpires().Set(text); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}

func FuzzCheckRoot(f *testing.F) {
	p := newPlace(f, nil)
	text, err := os.ReadFile(p.metadata(rootName(1)))
	p.must(err)
	f.Add(text)
	f.Fuzz(func(_ *testing.T, text []byte) { _, _, _ = CheckRoot(text) })
}
