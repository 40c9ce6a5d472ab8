package slots

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"github.com/stele-os/stele/agent/fault"
	"github.com/stele-os/stele/agent/state"
	"github.com/stele-os/stele/internal/block"
	"github.com/stele-os/stele/internal/bls"
	"github.com/stele-os/stele/internal/bundle"
	"github.com/stele-os/stele/internal/fat"
	"github.com/stele-os/stele/internal/verity"
)

// Phases that Seal reports, words of state.Progress.
const (
	PhaseVerifying  = "verifying"
	PhaseInstalling = "installing"
)

// Seal completes a staging whose bytes are in place. Nothing that it does can be seen by the loader before its last rename.
//
//  1. flush; root and verity partition are read back from the medium and checked against the root hash
//  2. PARTUUIDs: the version is there, but nothing starts it
//  3. the boot entry under a name that the loader does not take, read back from the medium
//  4. its name, with +0: sorted behind every other entry until Arm
//
// uki opens the boot entry's bytes, of which none are trusted. A version that is staged already is left as it is.
func (d *Disk) Seal(ctx context.Context, info bundle.Info, uki func(context.Context) (io.ReadCloser, error), phase func(string)) error {
	_, other, err := d.look()
	if err != nil {
		return err
	}
	if other.State == state.SlotStaged && other.RootHash == info.RootHash {
		return nil
	}
	if other.State != state.SlotWriting {
		return fault.New(fault.Aborted, "cannot complete version %q: slot %s is %s, its staging has not begun", info.Version, other.Name, other.State)
	}
	phase(PhaseVerifying)
	if err := d.device.Flush(); err != nil {
		return fmt.Errorf("cannot flush slot %s: %w", other.Name, err)
	}
	if err := d.verify(ctx, other.Name, info.RootHash); err != nil {
		return fmt.Errorf("cannot stage version %q: %w", info.Version, err)
	}
	phase(PhaseInstalling)
	root, tree, err := halves(info.RootHash)
	if err != nil {
		return err
	}
	if err := d.setGUIDs(other.Name, root, tree); err != nil {
		return err
	}
	return d.install(ctx, info, uki)
}

// verify reads a slot from the medium and checks that everything follows from the root hash.
func (d *Disk) verify(ctx context.Context, slot, rootHash string) error {
	root, tree, err := d.Partitions(slot)
	if err != nil {
		return err
	}
	digest, err := hex.DecodeString(rootHash)
	if err != nil || len(digest) != sha256.Size {
		return fmt.Errorf("cannot read root hash %q: it is not 64 hexadecimal digits", rootHash)
	}
	if _, err := verity.Verify(ctx, block.Medium(tree), block.Medium(root), verity.Digest(digest)); err != nil {
		return fmt.Errorf("cannot read slot %s back: %w", slot, err)
	}
	return nil
}

// install writes the boot entry.
func (d *Disk) install(ctx context.Context, info bundle.Info, open func(context.Context) (io.ReadCloser, error)) error {
	name := bls.Name{Prefix: EntryPrefix, Version: info.Version, Counted: true}
	temporary := name.String() + temporarySuffix
	if err := d.removeTemporaries(); err != nil {
		return err
	}
	r, err := open(ctx)
	if err != nil {
		return fmt.Errorf("cannot write boot entry %q: %w", name, err)
	}
	err = d.esp.Create(EntryDirectory+"/"+temporary, info.UKI.Bytes, r)
	if err := errors.Join(err, r.Close()); err != nil {
		return noRoom(fmt.Errorf("cannot write boot entry %q: %w", name, err))
	}
	if err := d.device.Flush(); err != nil {
		return fmt.Errorf("cannot write boot entry %q: %w", name, err)
	}
	if err := d.readBack(temporary, info); err != nil {
		return fmt.Errorf("cannot use boot entry %q: %w", name, err)
	}
	if err := d.esp.Rename(EntryDirectory, temporary, name.String()); err != nil {
		return fmt.Errorf("cannot rename boot entry %q to %q: %w", temporary, name, err)
	}
	return d.device.Flush()
}

// noRoom gives the error of a full ESP its kind.
func noRoom(err error) error {
	if errors.Is(err, fat.ErrNoSpace) {
		return fault.As(fault.Exhausted, err)
	}
	return err
}
