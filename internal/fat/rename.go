package fat

import (
	"errors"
	"fmt"
	"io/fs"
)

// Rename gives a file of dir another name; the new one must not be there (fs.ErrExist). At every moment one of the names, or both, lead to the
// whole file. Where the power goes while both are there, Repair keeps the new one.
//
//  1. the old entry loses its archive attribute, which tells Repair the two apart; bodies of the new entry; flush
//  2. numbers and commit of the new entry (placement)
//  3. the old entry's first byte; flush; its long name
func (v *Volume) Rename(dir, from, to string) error {
	if err := v.rename(dir, from, to); err != nil {
		return fmt.Errorf("cannot rename %q to %q in %q: %w", from, to, dir, err)
	}
	return nil
}

func (v *Volume) rename(dir, from, to string) error {
	d, err := v.openDirectory(dir)
	if err != nil {
		return err
	}
	found := scan(d.raw)
	old := found.find(from)
	switch {
	case old == nil:
		return fs.ErrNotExist
	case old.dir():
		return errDirectory
	}
	entry := append([]byte{}, d.raw[old.at*entryBytes:][:entryBytes]...)
	entry[11] |= attributeArchive
	entry[12] = 0 // DIR_NTRes: the case of the old name
	place, d, err := v.place(d, to, entry)
	if err != nil {
		return err
	}
	if err := v.write([]byte{old.attributes &^ attributeArchive}, v.slotOffset(d, old.at)+11, "directory entry"); err != nil {
		return err
	}
	if err := errors.Join(place.bodies(), v.flush()); err != nil {
		return err
	}
	if err := place.commit(); err != nil {
		return err
	}
	if err := v.hide(d, *old); err != nil {
		return err
	}
	if err := errors.Join(v.dropParts(d, old.parts()), v.flush()); err != nil {
		return err
	}
	return v.arrange(d)
}
