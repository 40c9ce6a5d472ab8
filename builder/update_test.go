package builder

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stele-os/stele/api/v1alpha1"
	"github.com/stele-os/stele/builder/repository"
)

var signedAt = time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)

// newRoot makes a repository beside a definition and returns its root metadata.
func newRoot(t *testing.T, dir string) []byte {
	t.Helper()
	o := repository.Options{
		Dir: filepath.Join(dir, "updates"), Now: func() time.Time { return signedAt }, Expires: repository.DefaultExpires(),
		Keys: &repository.Keyring{Unencrypted: true, Random: rand.Reader},
	}
	if err := o.Keys.Add(t.Context(), filepath.Join(dir, "keys")); err != nil {
		t.Fatal(err)
	}
	if err := repository.Init(t.Context(), o, nil); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(o.Dir, "metadata", "1.root.json"))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestUpdateRoot holds that the root of trust lies byte for byte on the verified root, and that manifest and key follow it.
func TestUpdateRoot(t *testing.T) {
	dir := t.TempDir()
	text := newRoot(t, dir)
	b := loaded(t, dir, "update: {root: updates/metadata/1.root.json}\n")
	files, _ := contents(t, b)
	if files[v1alpha1.UpdateRootPath] != string(text) {
		t.Errorf("on the root lies %q", files[v1alpha1.UpdateRootPath])
	}
	sum := sha256.Sum256(text)
	if m := b.updateRoot.manifest(); m == nil || m.Version != 1 || m.SHA256 != hex.EncodeToString(sum[:]) {
		t.Errorf("the manifest says %+v", m)
	}
	without := loaded(t, dir, "")
	if files, _ := contents(t, without); files[v1alpha1.UpdateRootPath] != "" || without.updateRoot.manifest() != nil {
		t.Error("an image without root of trust has one")
	}
	if w := b.updateRoot.warning(signedAt); w != "" {
		t.Errorf("warned of a fresh root: %q", w)
	}
	if w := b.updateRoot.warning(signedAt.AddDate(5, 0, 0)); !strings.Contains(w, "expired on 2028-11-20") {
		t.Errorf("five years later: %q", w)
	}
}

func TestUpdateRootRefuses(t *testing.T) {
	dir := t.TempDir()
	good := string(newRoot(t, dir))
	for _, c := range []struct{ name, text, want string }{
		{"no metadata", "{}", "it is no root metadata"},
		{"changed", strings.Replace(good, "2028", "2038", 1), "it is not signed by its own keys"},
		{"too long", strings.Repeat(" ", 600_000), "more than 131072 bytes"},
	} {
		path := write(t, filepath.Join(dir, "root.json"), c.text)
		_, err := readUpdateRoot(path)
		var hinted interface{ Hint() string }
		if err == nil || !strings.Contains(err.Error(), c.want) || !errors.As(err, &hinted) {
			t.Errorf("%s: got %v, want %q and a hint", c.name, err, c.want)
		}
	}
	if _, err := readUpdateRoot(filepath.Join(dir, "none.json")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
}
