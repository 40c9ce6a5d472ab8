package builder

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"time"

	"github.com/stele-os/stele/builder/output"
	"github.com/stele-os/stele/builder/repository"
	"github.com/stele-os/stele/internal/hint"
)

// updateRoot is the root of trust of the image's updates.
type updateRoot struct {
	text    []byte
	version int64
	expires time.Time
}

// readUpdateRoot reads root metadata and makes sure that a machine can start from it.
func readUpdateRoot(path string) (updateRoot, error) {
	if path == "" {
		return updateRoot{}, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return updateRoot{}, fmt.Errorf("cannot read update root: %w", err)
	}
	version, expires, err := repository.CheckRoot(text)
	if err != nil {
		return updateRoot{}, hint.New(fmt.Errorf("cannot use update root %q: %w", path, err), "name a file such as metadata/1.root.json of an update repository (stele repo init)")
	}
	return updateRoot{text: text, version: version, expires: expires}, nil
}

// warning tells of a root that has expired: machines can still follow its repository to a newer one, but not without it.
func (u updateRoot) warning(at time.Time) string {
	if u.text == nil || at.Before(u.expires) {
		return ""
	}
	return fmt.Sprintf(", warning: its update root expired on %s", u.expires.Format(time.DateOnly))
}

// manifest names the root, so that publishing can tell whether machines with this image will follow the repository.
func (u updateRoot) manifest() *output.UpdateRoot {
	if u.text == nil {
		return nil
	}
	sum := sha256.Sum256(u.text)
	return &output.UpdateRoot{Version: u.version, SHA256: hex.EncodeToString(sum[:])}
}
