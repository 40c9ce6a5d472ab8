package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

func digestOf(s string) Digest {
	sum := sha256.Sum256([]byte(s))
	return Digest{SHA256: hex.EncodeToString(sum[:]), SizeBytes: int64(len(s))}
}

func from(content string, calls *int) Fetch {
	return Fetch{Name: "thing", Open: func(context.Context) (io.ReadCloser, error) {
		*calls++
		return io.NopCloser(strings.NewReader(content)), nil
	}}
}

func open(t *testing.T) *Store {
	t.Helper()
	s, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestBlob(t *testing.T) {
	s, ctx, calls := open(t), context.Background(), 0
	path, cached, err := s.Blob(ctx, digestOf("hello"), from("hello", &calls))
	if err != nil || cached {
		t.Fatalf("first: cached %v, %v", cached, err)
	}
	if _, cached, err = s.Blob(ctx, digestOf("hello"), from("hello", &calls)); err != nil || !cached || calls != 1 {
		t.Errorf("second: cached %v, %d fetches, %v", cached, calls, err)
	}
	if err := os.WriteFile(path, []byte("hellO"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, cached, err = s.Blob(ctx, digestOf("hello"), from("hello", &calls)); err != nil || cached || calls != 2 {
		t.Errorf("damaged: cached %v, %d fetches, %v", cached, calls, err)
	}
}

func TestBlobRefuses(t *testing.T) {
	for _, c := range []struct{ name, content, want string }{
		{"other content", "jello", "it has SHA-256"},
		{"short", "hell", "it has 4 bytes, expected 5"},
		{"long", "hello, world", "it has at least 6 bytes, expected 5"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, calls := open(t), 0
			_, _, err := s.Blob(context.Background(), digestOf("hello"), from(c.content, &calls))
			if err == nil || !strings.Contains(err.Error(), `cannot fetch "thing": `+c.want) {
				t.Errorf("got %v", err)
			}
			assertNothingLeft(t, s)
		})
	}
}

func assertNothingLeft(t *testing.T, s *Store) {
	t.Helper()
	for _, pattern := range []string{"blobs/sha256/*", "tmp/*", "artifacts/*"} {
		if left, _ := filepath.Glob(s.path(pattern)); len(left) > 0 {
			t.Errorf("left behind: %q", left)
		}
	}
}

func TestBlobEndsWithContext(t *testing.T) {
	s, calls := open(t), 0
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, _, err := s.Blob(ctx, digestOf("hello"), from("hello", &calls)); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	assertNothingLeft(t, s)
}

func TestArtifact(t *testing.T) {
	s, ctx, calls := open(t), context.Background(), 0
	build := func(_ context.Context, dir string) error {
		calls++
		return os.WriteFile(filepath.Join(dir, "out"), []byte("made"), 0o644)
	}
	key := func() *Key { return NewKey("demo").Add("input", "1") }
	a, err := s.Artifact(ctx, key(), build)
	if err != nil || a.Cached || a.Files["out"] != digestOf("made") {
		t.Fatalf("first: %+v, %v", a, err)
	}
	if a, err = s.Artifact(ctx, key(), build); err != nil || !a.Cached || calls != 1 {
		t.Errorf("second: %+v, %d builds, %v", a, calls, err)
	}
	if err := os.WriteFile(a.Path("out"), []byte("mode"), 0o644); err != nil {
		t.Fatal(err)
	}
	if a, err = s.Artifact(ctx, key(), build); err != nil || a.Cached || calls != 2 {
		t.Errorf("damaged: %+v, %d builds, %v", a, calls, err)
	}
	if a, err = s.Artifact(ctx, key().Add("input", "2"), build); err != nil || a.Cached || calls != 3 {
		t.Errorf("other key: %+v, %d builds, %v", a, calls, err)
	}
}

func TestArtifactFailureLeavesNothing(t *testing.T) {
	s := open(t)
	_, err := s.Artifact(context.Background(), NewKey("demo"), func(_ context.Context, dir string) error {
		return errors.Join(os.WriteFile(filepath.Join(dir, "half"), nil, 0o644), &os.PathError{Op: "write", Path: "half", Err: syscall.ENOSPC})
	})
	var hinted interface{ Hint() string }
	if !errors.As(err, &hinted) || !strings.Contains(hinted.Hint(), "STELE_CACHE") {
		t.Errorf("got %v", err)
	}
	assertNothingLeft(t, s)
}

func TestConcurrent(t *testing.T) {
	s := open(t)
	var builds atomic.Int32
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			_, err := s.Artifact(context.Background(), NewKey("demo"), func(_ context.Context, dir string) error {
				builds.Add(1)
				return os.WriteFile(filepath.Join(dir, "out"), nil, 0o644)
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if builds.Load() != 1 {
		t.Errorf("%d builds, want 1", builds.Load())
	}
}

func TestPruneKeepsTheNewestAndTheUsed(t *testing.T) {
	s := open(t)
	old := time.Now().Add(-2 * time.Hour)
	build := func(context.Context, string) error { return nil }
	for i := range 12 {
		a, err := s.Artifact(context.Background(), NewKey("demo").Add("n", string(rune('a'+i))), build)
		if err != nil {
			t.Fatal(err)
		}
		if i < 11 {
			if err := os.Chtimes(a.Dir, old, old.Add(time.Duration(i)*time.Second)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if left, _ := filepath.Glob(s.path("artifacts/demo-*")); len(left) != keepNewest {
		t.Errorf("%d left, want %d", len(left), keepNewest)
	}
}

func TestKeySeparatesItsParts(t *testing.T) {
	if NewKey("a").Add("b", "c=1:d").Sum() == NewKey("a").Add("b", "c").Add("", "d").Sum() {
		t.Error("two lists of inputs have one key")
	}
}

func TestDefaultDir(t *testing.T) {
	for _, c := range []struct {
		env  map[string]string
		want string
	}{
		{map[string]string{"STELE_CACHE": "/s", "XDG_CACHE_HOME": "/x", "HOME": "/h"}, "/s"},
		{map[string]string{"XDG_CACHE_HOME": "/x", "HOME": "/h"}, "/x/stele"},
		{map[string]string{"XDG_CACHE_HOME": "relative", "HOME": "/h"}, "/h/.cache/stele"},
		{nil, ""},
	} {
		if got, err := DefaultDir(func(k string) string { return c.env[k] }); got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%v: got %q, %v", c.env, got, err)
		}
	}
}
