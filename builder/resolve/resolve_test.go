package resolve

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stele-os/stele/builder/store"
	"github.com/stele-os/stele/internal/debian"
	"github.com/stele-os/stele/internal/golden"
)

type fakeIndex []debian.Package

func (f fakeIndex) Index(_ context.Context, suite, component, architecture string, each func(debian.Package) error) (time.Time, error) {
	for _, p := range f {
		if p.Architecture != architecture && p.Architecture != "all" {
			continue
		}
		if err := each(p); err != nil {
			return time.Time{}, err
		}
	}
	return time.Date(2026, 9, 12, 7, 55, 41, 0, time.UTC), nil
}

func pkg(name, version, architecture string) debian.Package {
	path := fmt.Sprintf("pool/%s_%s_%s.deb", name, version, architecture)
	return debian.Package{Name: name, Version: version, Architecture: architecture, Path: path,
		SizeBytes: int64(len(path)), SHA256: fmt.Sprintf("%x", sha256.Sum256([]byte(path)))}
}

var wants = []Want{{Name: "src", Suite: "trixie"}, {Name: "boot", Suite: "trixie", Every: true}}

func TestResolve(t *testing.T) {
	index := fakeIndex{pkg("src", "6.12.94-1", "all"), pkg("src", "6.12.107-1", "all"), pkg("src", "6.12.9-1", "all"),
		pkg("boot", "257-1", "amd64"), pkg("boot", "257-1", "arm64"), pkg("unrelated", "1", "all")}
	lock, err := Resolve(context.Background(), index, wants)
	if err != nil {
		t.Fatal(err)
	}
	got, err := lock.Encode()
	if err != nil {
		t.Fatal(err)
	}
	golden.Compare(t, "testdata/lock.golden", string(got))
	if _, err := Decode("lock.yaml", got); err != nil {
		t.Errorf("cannot read back: %v", err)
	}
}

func TestResolveMissing(t *testing.T) {
	_, err := Resolve(context.Background(), fakeIndex{pkg("src", "1", "all"), pkg("boot", "1", "amd64")}, wants)
	if err == nil || err.Error() != `cannot find package "boot" for arm64 in suite "trixie"` {
		t.Errorf("got %v", err)
	}
}

func TestDecodeRefuses(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"unknown field", "signed: 2026-09-12T07:55:41Z\npackages:\n  - nmae: x\n", "images/lock.yaml:3:5: packages[0].nmae: unknown field"},
		{"no digest", "signed: 2026-09-12T07:55:41Z\npackages:\n  - name: x\n    path: p\n    size: 1\n    sha256: abc\n", "packages[0] has no name"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Decode("images/lock.yaml", []byte(c.text))
			var hinted interface{ Hint() string }
			if err == nil || !strings.Contains(err.Error(), c.want) || !errors.As(err, &hinted) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestPin(t *testing.T) {
	lock := &Lock{Packages: []Pin{{Name: "src", Architecture: "all"}, {Name: "boot", Architecture: "amd64"}}}
	if _, err := lock.Pin("src", "arm64"); err != nil {
		t.Error(err)
	}
	if _, err := lock.Pin("boot", "arm64"); err == nil {
		t.Error("boot has no arm64")
	}
}

type fakeMirror map[string]string

func (f fakeMirror) Open(_ context.Context, path string) (io.ReadCloser, error) {
	content, ok := f[path]
	if !ok {
		return nil, fmt.Errorf("cannot fetch %q: %w", path, debian.ErrNotFound)
	}
	return io.NopCloser(strings.NewReader(content)), nil
}

func TestFetch(t *testing.T) {
	s, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	p := pkg("boot", "257-1", "amd64") // its content is its path
	pin := Pin{Name: p.Name, Version: p.Version, Path: p.Path, SizeBytes: p.SizeBytes, SHA256: p.SHA256}
	asked := 0
	f := &Fetcher{Store: s, Mirror: func() (Mirror, error) { asked++; return fakeMirror{p.Path: p.Path}, nil }}
	for range 2 {
		path, err := f.Fetch(context.Background(), pin)
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := os.ReadFile(path); string(got) != p.Path {
			t.Errorf("got %q", got)
		}
	}
	if asked != 1 {
		t.Errorf("the mirror was asked %d times, want 1", asked)
	}
}

func TestFetchGone(t *testing.T) {
	s, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	f := &Fetcher{Store: s, Mirror: func() (Mirror, error) { return fakeMirror{}, nil }}
	_, err = f.Fetch(context.Background(), Pin{Name: "boot", Version: "257-1", Path: "pool/boot.deb", SizeBytes: 1, SHA256: strings.Repeat("0", 64)})
	var hinted interface{ Hint() string }
	if !errors.As(err, &hinted) || hinted.Hint() != `run "stele lock" to pin what the mirror has now` {
		t.Fatalf("got %v", err)
	}
	if want := `cannot fetch "boot 257-1": cannot fetch "pool/boot.deb": the mirror does not have it`; err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte("packages:\n  - name: x\n    path: p\n    size: 1\n    sha256: abc\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		lock, err := Decode("lock.yaml", text)
		if err != nil {
			return
		}
		if _, err := lock.Encode(); err != nil {
			t.Error(err)
		}
	})
}
