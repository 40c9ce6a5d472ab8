package repository

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"github.com/stele-os/stele/builder/output"
)

var start = time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)

// place is a repository with its keys.
type place struct {
	t       testing.TB
	options Options
	keys    string
	said    []string
}

func newPlace(t testing.TB, roles map[string]RoleKeys) *place {
	t.Helper()
	p := &place{t: t, keys: filepath.Join(t.TempDir(), "keys")}
	p.options = Options{Dir: filepath.Join(t.TempDir(), "repository"), Now: func() time.Time { return start }, Expires: DefaultExpires()}
	p.options.Report = func(line string) { p.said = append(p.said, line) }
	p.options.Keys = p.ring(p.keys)
	if err := Init(t.Context(), p.options, roles); err != nil {
		t.Fatal(err)
	}
	return p
}

// seeds makes each key ring's keys different, and the same in each run.
var seeds byte

func (p *place) ring(dirs ...string) *Keyring {
	p.t.Helper()
	seeds++
	k := &Keyring{Unencrypted: true, Random: rand.NewChaCha8([32]byte{seeds})}
	for _, dir := range dirs {
		if err := k.Add(p.t.Context(), dir); err != nil {
			p.t.Fatal(err)
		}
	}
	return k
}

// change opens the repository with all keys of the directory, and changes it.
func (p *place) change(do func(r *Repository) error) error {
	p.t.Helper()
	o := p.options
	if o.Keys == nil {
		o.Keys = p.ring(p.keys)
	}
	r, err := Open(o)
	if err != nil {
		return err
	}
	defer r.Close()
	return do(r)
}

func (p *place) publish(i testImage, o PublishOptions) error {
	p.t.Helper()
	if i.arch == "" {
		i.arch = "x86_64"
	}
	i.root = p.metadata(rootName(1))
	dir := i.write(p.t)
	return p.change(func(r *Repository) error {
		_, err := r.Publish(p.t.Context(), dir, o)
		return err
	})
}

func (p *place) metadata(name string) string { return filepath.Join(p.options.Dir, metadataDir, name) }

func (p *place) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

func (p *place) files() []string {
	var all []string
	filepath.WalkDir(p.options.Dir, func(path string, d fs.DirEntry, _ error) error {
		if !d.IsDir() {
			all = append(all, strings.TrimPrefix(path, p.options.Dir+"/"))
		}
		return nil
	})
	return all
}

func TestPublish(t *testing.T) {
	p := newPlace(t, nil)
	c := newClient(t, p.options.Dir, start)
	c.sees(t)
	p.must(p.publish(testImage{version: "1.0.0"}, PublishOptions{}))
	c.sees(t, "1.0.0")
	p.must(p.publish(testImage{version: "1.1.0~rc1"}, PublishOptions{MinimumVersion: "1.0.0"}))
	p.must(p.publish(testImage{version: "1.0.0", arch: "arm64"}, PublishOptions{}))
	c.sees(t, "1.0.0", "1.0.0", "1.1.0~rc1")
	p.must(p.change(func(r *Repository) error {
		_, err := r.Remove(t.Context(), Selector{Version: "1.1.0~rc1"}, false)
		return err
	}))
	c.sees(t, "1.0.0", "1.0.0")
	if left, _ := filepath.Glob(p.options.Dir + "/targets/*"); len(left) != 2 || len(p.said) != 0 {
		t.Errorf("left are %q, said is %q", left, p.said)
	}
}

// TestSameInputsSameBytes holds that nothing but image, keys, time and state enters the files.
func TestSameInputsSameBytes(t *testing.T) {
	var all [2]map[string]string
	for i := range all {
		seeds = 100
		p := newPlace(t, nil)
		p.must(p.publish(testImage{version: "1.0.0"}, PublishOptions{}))
		all[i] = map[string]string{}
		for _, name := range p.files() {
			text, err := os.ReadFile(filepath.Join(p.options.Dir, name))
			p.must(err)
			all[i][name] = string(text)
		}
	}
	if !maps.Equal(all[0], all[1]) || len(all[0]) != 8 {
		t.Errorf("two repositories differ, or have not 8 files: %q", slices.Sorted(maps.Keys(all[0])))
	}
}

func TestPublishRefuses(t *testing.T) {
	p := newPlace(t, nil)
	p.must(p.publish(testImage{version: "1.0.0"}, PublishOptions{}))
	before := p.files()
	spoil := func(name string) func(dir string) {
		return func(dir string) {
			text, _ := os.ReadFile(filepath.Join(dir, name))
			text[len(text)-1]++
			put(t, filepath.Join(dir, name), text)
		}
	}
	for _, c := range []struct {
		name       string
		image      testImage
		options    PublishOptions
		want, hint string
	}{
		{"same version", testImage{version: "1.0.0"}, PublishOptions{}, "this version is published already", "new version"},
		{"version with a dash", testImage{version: "1.1.0-rc1"}, PublishOptions{}, `"1.1.0-rc1" is no version`, "write 1.1.0~rc1"},
		{"minimum", testImage{version: "1.1.0"}, PublishOptions{MinimumVersion: "1.1.0"}, "its minimum version 1.1.0 is not before it", ""},
		{"minimum is none", testImage{version: "1.1.0"}, PublishOptions{MinimumVersion: "x"}, `minimum version: "x"`, ""},
		{"architecture", testImage{version: "1.1.0", arch: "riscv64"}, PublishOptions{}, `architecture: "riscv64" is none of`, ""},
		{"same root", testImage{version: "1.0.0", edit: func(m *output.Manifest) { m.Version = "1.1.0" }}, PublishOptions{}, "it has the root hash of", "changing its version"},
		{"no root of trust", testImage{version: "1.1.0", edit: func(m *output.Manifest) { m.UpdateRoot = nil }}, PublishOptions{}, "no root of trust", "update.root"},
		{"other root of trust", testImage{version: "1.1.0", edit: func(m *output.Manifest) { m.UpdateRoot.SHA256 = "00" }}, PublishOptions{}, "another repository's", "update.root"},
		{"no image", testImage{version: "1.1.0", change: func(dir string) { os.Remove(dir + "/manifest.json") }}, PublishOptions{}, "no manifest", "stele build"},
		{"no output", testImage{version: "1.1.0", edit: func(m *output.Manifest) { m.Artifacts = m.Artifacts[:1] }}, PublishOptions{}, "its manifest has no root.verity", "outputs"},
		{"file gone", testImage{version: "1.1.0", change: func(dir string) { os.Remove(dir + "/root.erofs") }}, PublishOptions{}, "no such file", ""},
		{"root changed", testImage{version: "1.1.0", change: spoil("root.erofs")}, PublishOptions{}, "its files are not those of its manifest", "build the image again"},
		{"UKI changed", testImage{version: "1.1.0", change: spoil("uki.efi")}, PublishOptions{}, "the digest of uki.efi is", "build the image again"},
		{"UKI of another version", testImage{version: "1.1.0", edit: func(m *output.Manifest) { m.Version = "1.2.0" }}, PublishOptions{}, "does not hold", ""},
		{"UKI of another root", testImage{version: "1.1.0", edit: func(m *output.Manifest) { m.RootHash = "ab" }}, PublishOptions{}, `cannot read root hash "ab"`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := p.publish(c.image, c.options)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want %q", err, c.want)
			}
			var hinted interface{ Hint() string }
			if c.hint != "" && (!errors.As(err, &hinted) || !strings.Contains(hinted.Hint(), c.hint)) {
				t.Errorf("%v lacks the hint %q", err, c.hint)
			}
			if after := p.files(); !slices.Equal(before, after) {
				t.Errorf("files became %q", after)
			}
		})
	}
}

func TestPublishWarns(t *testing.T) {
	p := newPlace(t, nil)
	p.must(p.publish(testImage{version: "1.1.0"}, PublishOptions{}))
	p.must(p.publish(testImage{version: "1.0.0", edit: func(m *output.Manifest) { m.UpdateRoot = nil }}, PublishOptions{AnyRoot: true}))
	got := strings.Join(p.said, "\n")
	for _, want := range []string{"1.0.0 is not newer than 1.1.0", "no root of trust"} {
		if !strings.Contains(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

var errCut = errors.New("power cut")

// TestEveryWriteLeavesAConsistentRepository lets clients look before each write of each command, and stops the command there: old and new
// clients accept what they see, and the command can be given again.
func TestEveryWriteLeavesAConsistentRepository(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(p *place, r *Repository) error
		// seen afterwards
		want []string
	}{
		{"publish", func(p *place, r *Repository) error {
			_, err := r.Publish(t.Context(), testImage{version: "1.1.0", arch: "x86_64", root: p.metadata(rootName(1))}.write(t), PublishOptions{})
			return err
		}, []string{"1.0.0", "1.1.0"}},
		{"remove", func(_ *place, r *Repository) error {
			_, err := r.Remove(t.Context(), Selector{Version: "1.0.0"}, true)
			if err != nil && strings.Contains(err.Error(), "cannot find version") {
				return r.Expire(t.Context(), []string{metadata.TIMESTAMP})
			}
			return err
		}, nil},
		{"expire", func(_ *place, r *Repository) error { return r.Expire(t.Context(), Roles) }, []string{"1.0.0"}},
		{"rotate online keys", func(_ *place, r *Repository) error {
			return r.Rotate(t.Context(), []Rotation{{Role: metadata.SNAPSHOT}, {Role: metadata.TIMESTAMP}})
		}, []string{"1.0.0"}},
		{"rotate all keys", func(_ *place, r *Repository) error {
			return r.Rotate(t.Context(), []Rotation{{Role: metadata.ROOT}, {Role: metadata.TARGETS}, {Role: metadata.SNAPSHOT}, {Role: metadata.TIMESTAMP}})
		}, []string{"1.0.0"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for cut := 0; ; cut++ {
				p := newPlace(t, nil)
				p.must(p.publish(testImage{version: "1.0.0"}, PublishOptions{}))
				old := newClient(t, p.options.Dir, start)
				old.sees(t, "1.0.0")
				err := p.changeAndLook(old, cut, c.change)
				if err == nil {
					break
				}
				if !errors.Is(err, errCut) {
					t.Fatal(err)
				}
				p.options.beforeWrite = nil
				p.must(p.change(func(r *Repository) error { return c.change(p, r) }))
				old.sees(t, c.want...)
				newClient(t, p.options.Dir, start).sees(t, c.want...)
			}
		})
	}
}

// changeAndLook stops a change before its write number cut, and looks before each.
func (p *place) changeAndLook(old *client, cut int, change func(*place, *Repository) error) error {
	writes := 0
	p.options.Keys = nil
	p.options.beforeWrite = func(path string) error {
		for _, c := range []*client{old, newClient(p.t, p.options.Dir, start)} {
			if _, err := c.look(); err != nil {
				return fmt.Errorf("before %s: %w", filepath.Base(path), err)
			}
		}
		if writes++; writes > cut {
			return errCut
		}
		return nil
	}
	return p.change(func(r *Repository) error { return change(p, r) })
}

func TestExport(t *testing.T) {
	p := newPlace(t, nil)
	p.must(p.publish(testImage{version: "1.0.0"}, PublishOptions{}))
	p.must(p.publish(testImage{version: "1.1.0"}, PublishOptions{}))
	var all [2][]byte
	for i := range all {
		r, err := Read(p.options)
		p.must(err)
		file := filepath.Join(t.TempDir(), "update.tar")
		_, err = r.Export(t.Context(), Selector{Version: "1.0.0"}, file)
		p.must(err)
		all[i], err = os.ReadFile(file)
		p.must(err)
	}
	if !bytes.Equal(all[0], all[1]) {
		t.Error("two exports differ")
	}
	dir := t.TempDir()
	p.must(unpack(dir, all[0]))
	for _, name := range []string{"metadata/1.root.json", "metadata/timestamp.json", "metadata/3.snapshot.json", "metadata/3.targets.json"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
	// A client of the unpacked file finds the version, and lacks the other one's bundle.
	if _, err := newClient(t, dir, start).look(); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("got %v", err)
	}
}

// TestBoundsOfTargets: one version more than machines read would keep them from every update.
func TestBoundsOfTargets(t *testing.T) {
	p := newPlace(t, nil)
	err := p.change(func(r *Repository) error {
		fill := func(n int) error {
			_, err := r.nextTargets(t.Context(), r.present, func(all map[string]*metadata.TargetFiles) {
				for i := range n {
					all[fmt.Sprint(i)] = &metadata.TargetFiles{Length: 1, Hashes: metadata.Hashes{"sha256": make([]byte, 32)}}
				}
			})
			return err
		}
		if err := fill(1000); err != nil {
			t.Error(err)
		}
		return fill(1001)
	})
	if err == nil || !strings.Contains(err.Error(), "machines read at most 1000") {
		t.Error(err)
	}
}
