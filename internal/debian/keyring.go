package debian

import (
	"fmt"
	"io/fs"

	"github.com/ProtonMail/go-crypto/openpgp"

	"github.com/stele-os/stele/internal/hint"
)

// keyringPaths are where the package debian-archive-keyring puts the archive's keys (relative to the root directory).
var keyringPaths = []string{
	"usr/share/keyrings/debian-archive-keyring.gpg",
	"usr/share/keyrings/debian-archive-keyring.pgp", // the name from Debian 13 on
}

// Keyring reads the Debian archive's public keys from the machine's root directory.
func Keyring(root fs.FS) (openpgp.EntityList, error) {
	for _, path := range keyringPaths {
		file, err := root.Open(path)
		if err != nil {
			continue
		}
		defer file.Close()
		keys, err := openpgp.ReadKeyRing(file)
		if err != nil {
			return nil, fmt.Errorf("cannot read keyring %q: %w", "/"+path, err)
		}
		return keys, nil
	}
	err := fmt.Errorf("cannot find the Debian archive's keys at %q", "/"+keyringPaths[0])
	return nil, hint.New(err, "install the package debian-archive-keyring")
}
