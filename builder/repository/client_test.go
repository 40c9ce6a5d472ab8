package repository

import (
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"
	"github.com/theupdateframework/go-tuf/v2/metadata/config"
	"github.com/theupdateframework/go-tuf/v2/metadata/updater"

	"github.com/stele-os/stele/internal/bundle"
)

// dirFetcher gives go-tuf's client the files of a directory.
type dirFetcher struct{ dir string }

func (f dirFetcher) DownloadFile(address string, maxLength int64, _ time.Duration) ([]byte, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(filepath.Join(f.dir, filepath.FromSlash(u.Path)))
	if os.IsNotExist(err) {
		return nil, &metadata.ErrDownloadHTTP{StatusCode: 404, URL: address}
	}
	if int64(len(text)) > maxLength {
		return nil, &metadata.ErrDownloadLengthMismatch{Msg: "too long"}
	}
	return text, err
}

// client is go-tuf's own client, which knows nothing of this package: the oracle. Its cache in dir lives from look to look, as a machine's does.
type client struct {
	repository, cache string
	root              []byte
	now               time.Time
}

func newClient(t testing.TB, repository string, now time.Time) *client {
	t.Helper()
	root, err := os.ReadFile(filepath.Join(repository, metadataDir, rootName(1)))
	if err != nil {
		t.Fatal(err)
	}
	return &client{repository: repository, cache: t.TempDir(), root: root, now: now}
}

// look returns the versions that the repository has, newest metadata first checked, and fetches each bundle.
func (c *client) look() ([]string, error) {
	root := c.root
	if text, err := os.ReadFile(filepath.Join(c.cache, "root.json")); err == nil {
		root = text
	}
	cfg, err := config.New("http://repository.example.com/metadata", root)
	if err != nil {
		return nil, err
	}
	cfg.Fetcher, cfg.LocalMetadataDir, cfg.LocalTargetsDir = dirFetcher{c.repository}, c.cache, filepath.Join(c.cache, "targets")
	cfg.RemoteTargetsURL = "http://repository.example.com/targets"
	u, err := updater.New(cfg)
	if err != nil {
		return nil, err
	}
	u.UnsafeSetRefTime(c.now)
	if err := u.Refresh(); err != nil {
		return nil, err
	}
	var versions []string
	for name, target := range u.GetTopLevelTargets() {
		target.Path = name
		if _, _, err := u.DownloadTarget(target, filepath.Join(c.cache, "bundle"), ""); err != nil {
			return nil, err
		}
		info, err := bundle.DecodeInfo(*target.Custom)
		if err != nil {
			return nil, err
		}
		versions = append(versions, info.Version)
	}
	slices.Sort(versions)
	return versions, nil
}

func (c *client) sees(t testing.TB, want ...string) {
	t.Helper()
	if got, err := c.look(); err != nil || !slices.Equal(got, want) {
		t.Errorf("a client sees %q (%v), want %q", got, err, want)
	}
}
