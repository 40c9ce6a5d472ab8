package secureboot

import (
	"fmt"
	"io"
	"os"

	"github.com/stele-os/stele/internal/authenticode"
	"github.com/stele-os/stele/internal/efisig"
	"github.com/stele-os/stele/internal/gpt"
	"github.com/stele-os/stele/internal/hint"
)

// also adds what the user wants in a variable beside ours: certificates, and digests of PE images.
func (o Options) also(name string, owner gpt.GUID, entries []efisig.Entry) ([]efisig.Entry, error) {
	for _, path := range o.Also[name] {
		e, err := entryOf(name, owner, path)
		if err != nil {
			return nil, err
		}
		entries = append(entries, e)
	}
	return entries, nil
}

func entryOf(name string, owner gpt.GUID, path string) (efisig.Entry, error) {
	f, err := os.Open(path)
	if err != nil {
		return efisig.Entry{}, fmt.Errorf("cannot add %q to %s: %w", path, name, err)
	}
	defer f.Close()
	var magic [2]byte
	if _, err := io.ReadFull(f, magic[:]); err != nil || string(magic[:]) != "MZ" {
		c, err := readCertificate(path)
		if err != nil {
			return efisig.Entry{}, hint.New(fmt.Errorf("cannot add %q to %s: %w", path, name, err), "give an X.509 certificate (PEM or DER), or for db and dbx an EFI program")
		}
		return efisig.Certificate(owner, c), nil
	}
	if name != DB && name != DBX {
		return efisig.Entry{}, fmt.Errorf("cannot add %q to %s: it takes certificates only", path, name)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return efisig.Entry{}, fmt.Errorf("cannot add %q to %s: %w", path, name, err)
	}
	image, err := authenticode.Read(f)
	if err != nil {
		return efisig.Entry{}, fmt.Errorf("cannot add %q to %s: %w", path, name, err)
	}
	return efisig.Digest(owner, image.Digest), nil
}
