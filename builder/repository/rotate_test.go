package repository

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// keyFiles are the files of a role's keys.
func (p *place) keyFiles(role string) []string {
	files, _ := filepath.Glob(filepath.Join(p.keys, role+"-*"))
	return files
}

// TestRotateLostKeys replaces keys that nobody has any more: clients follow, although the old keys did not sign.
func TestRotateLostKeys(t *testing.T) {
	p := newPlace(t, map[string]RoleKeys{metadata.ROOT: {Make: 3, Threshold: 2}})
	p.must(p.publish(testImage{version: "1.0.0"}, PublishOptions{}))
	old := newClient(t, p.options.Dir, start)
	old.sees(t, "1.0.0")
	lost := p.keyFiles(metadata.ROOT)[0]
	id := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(lost), "root-"), keySuffix)
	for _, file := range append(p.keyFiles(metadata.TARGETS), append(p.keyFiles(metadata.TIMESTAMP), lost)...) {
		p.must(os.Remove(file))
	}
	p.options.Keys = nil
	p.must(p.change(func(r *Repository) error {
		return r.Rotate(t.Context(), []Rotation{{Role: metadata.ROOT, Replace: id}, {Role: metadata.TARGETS}, {Role: metadata.TIMESTAMP}})
	}))
	old.sees(t, "1.0.0")
	newClient(t, p.options.Dir, start).sees(t, "1.0.0")
	p.must(p.publish(testImage{version: "1.1.0"}, PublishOptions{}))
	old.sees(t, "1.0.0", "1.1.0")
}

// TestRotateInterrupted stops a rotation without the old keys behind the new root, where the old timestamp is not valid any more: the next
// command that signs repairs it.
func TestRotateInterrupted(t *testing.T) {
	p := newPlace(t, nil)
	p.must(p.publish(testImage{version: "1.0.0"}, PublishOptions{}))
	old := newClient(t, p.options.Dir, start)
	old.sees(t, "1.0.0")
	for _, file := range append(p.keyFiles(metadata.SNAPSHOT), p.keyFiles(metadata.TIMESTAMP)...) {
		p.must(os.Remove(file))
	}
	p.options.Keys = nil
	p.options.beforeWrite = func(path string) error {
		if filepath.Base(path) == timestampFile {
			return errCut
		}
		return nil
	}
	err := p.change(func(r *Repository) error {
		return r.Rotate(t.Context(), []Rotation{{Role: metadata.SNAPSHOT}, {Role: metadata.TIMESTAMP}})
	})
	if !errors.Is(err, errCut) {
		t.Fatal(err)
	}
	if _, err := old.look(); err == nil {
		t.Error("a client accepts metadata of keys that have been replaced")
	}
	p.options.beforeWrite = nil
	p.must(p.change(func(r *Repository) error { return r.Expire(t.Context(), []string{metadata.TIMESTAMP}) }))
	old.sees(t, "1.0.0")
	newClient(t, p.options.Dir, start).sees(t, "1.0.0")
}

func TestRotateRefuses(t *testing.T) {
	p := newPlace(t, map[string]RoleKeys{metadata.TARGETS: {Make: 2, Threshold: 2}})
	before := p.files()
	for _, c := range []struct {
		name string
		one  Rotation
		keys *Keyring
		want string
	}{
		{"no such role", Rotation{Role: "mirrors"}, nil, "there is no such role"},
		{"which key", Rotation{Role: metadata.TARGETS}, nil, `2 of its keys`},
		{"no such key", Rotation{Role: metadata.TARGETS, Replace: "xyz"}, nil, `0 of its keys`},
		{"threshold", Rotation{Role: metadata.TIMESTAMP, Threshold: 2}, nil, "a threshold of 2 does not fit 1 keys"},
		{"no root key", Rotation{Role: metadata.TIMESTAMP}, &Keyring{}, "cannot sign root: it needs 1 of its keys, and 0 are given"},
		{"no place for the new key", Rotation{Role: metadata.TIMESTAMP}, func() *Keyring { k := p.ring(p.keys); k.dirs = nil; return k }(), "no directory for keys is given"},
		{"the key has the role", Rotation{Role: metadata.TIMESTAMP, Add: true, Source: p.keyFiles(metadata.TIMESTAMP)[0]}, nil, "the new key has the role already"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p.options.Keys = c.keys
			err := p.change(func(r *Repository) error { return r.Rotate(t.Context(), []Rotation{c.one}) })
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if after := p.files(); !slices.Equal(before, after) {
				t.Errorf("files became %q", after)
			}
		})
	}
}

// TestOffline signs where only the targets key is, and announces where only the online keys are.
func TestOffline(t *testing.T) {
	p := newPlace(t, nil)
	c := newClient(t, p.options.Dir, start)
	p.options.Keys = p.ring(p.keyFiles(metadata.TARGETS)...)
	if err := p.publish(testImage{version: "1.0.0"}, PublishOptions{}); err == nil || !strings.Contains(err.Error(), "cannot sign snapshot") {
		t.Errorf("got %v", err)
	}
	p.must(p.publish(testImage{version: "1.0.0"}, PublishOptions{Offline: true}))
	p.must(p.publish(testImage{version: "1.1.0"}, PublishOptions{Offline: true}))
	c.sees(t)
	r, err := Read(p.options)
	p.must(err)
	if l, err := r.List(); err != nil || len(l.Bundles) != 2 || l.Bundles[0].Announced {
		t.Errorf("listed are %+v, %v", l.Bundles, err)
	}
	if _, err := r.Export(t.Context(), Selector{Version: "1.0.0"}, filepath.Join(t.TempDir(), "x")); err == nil || !strings.Contains(err.Error(), "not announced") {
		t.Errorf("got %v", err)
	}
	p.options.Keys = p.ring(append(p.keyFiles(metadata.SNAPSHOT), p.keyFiles(metadata.TIMESTAMP)...)...)
	p.must(p.change(func(r *Repository) error { return r.Expire(t.Context(), []string{metadata.TIMESTAMP}) }))
	c.sees(t, "1.0.0", "1.1.0")
}

// TestExpires holds that metadata ends when it says, and that signing anew is the cure.
func TestExpires(t *testing.T) {
	p := newPlace(t, nil)
	c := newClient(t, p.options.Dir, start.AddDate(0, 0, 8))
	if _, err := c.look(); err == nil || !strings.Contains(err.Error(), "expired") {
		t.Errorf("eight days later: %v", err)
	}
	p.options.Now = func() time.Time { return start.AddDate(0, 0, 8) }
	p.must(p.change(func(r *Repository) error { return r.Expire(t.Context(), []string{metadata.TIMESTAMP}) }))
	c.sees(t)
	for _, roles := range [][]string{nil, {"mirrors"}} {
		if err := p.change(func(r *Repository) error { return r.Expire(t.Context(), roles) }); err == nil {
			t.Errorf("%q was renewed", roles)
		}
	}
}
