package slots

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"

	"github.com/stele-os/stele/internal/block"
	"github.com/stele-os/stele/internal/bls"
	"github.com/stele-os/stele/internal/bundle"
	"github.com/stele-os/stele/internal/fat"
)

// readBack reads a finished boot entry from the medium, by a file system opened anew, and checks that it is the one that was signed and that it
// starts this version.
func (d *Disk) readBack(file string, info bundle.Info) error {
	section, err := d.espSection()
	if err != nil {
		return err
	}
	volume, err := fat.Open(block.Medium(section))
	if err != nil {
		return err
	}
	content, err := volume.OpenFile(EntryDirectory + "/" + file)
	if err != nil {
		return err
	}
	hash := sha256.New()
	if _, err := io.Copy(hash, content); err != nil {
		return fmt.Errorf("cannot read it back: %w", err)
	}
	if got := hex.EncodeToString(hash.Sum(nil)); got != info.UKI.SHA256 || content.Size() != info.UKI.Bytes {
		return fmt.Errorf("read back, it has %d bytes and digest %s, not %d and %s", content.Size(), got, info.UKI.Bytes, info.UKI.SHA256)
	}
	e := readEntry(file, bls.Name{}, content, content.Size())
	switch {
	case e.Err != nil:
		return e.Err
	case e.Version != info.Version:
		return fmt.Errorf("it holds version %q, not %q", e.Version, info.Version)
	case e.SecurityVersion != info.SecurityVersion:
		return fmt.Errorf("its security version is %d, not %d", e.SecurityVersion, info.SecurityVersion)
	case e.RootHash != info.RootHash:
		return fmt.Errorf("it starts root hash %s, not %s", e.RootHash, info.RootHash)
	}
	return nil
}
