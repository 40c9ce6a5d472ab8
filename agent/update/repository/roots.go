package repository

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// roots is §5.3: from the image's root along the kept ones to the newest of the repository, each signed by the one before.
func (r *refresh) roots(ctx context.Context) error {
	if err := r.keptRoots(); err != nil {
		return err
	}
	for rotations := 0; ; rotations++ {
		name := fmt.Sprintf("%d.root.json", r.trusted.Root.Signed.Version+1)
		data, err := r.get(ctx, "metadata/"+name, maxRootBytes)
		if errors.Is(err, ErrNotFound) {
			break
		}
		if err != nil {
			return err
		}
		if rotations == maxRotations {
			return r.refuse("metadata/"+name, fmt.Errorf("more than %d new roots of trust at once", maxRotations))
		}
		if err := r.updateRoot(data); err != nil {
			return r.refuse("metadata/"+name, err)
		}
		if err := r.store.write(name, data); err != nil {
			return err
		}
	}
	root := r.trusted.Root.Signed
	if err := below("root", root.Version, r.floors.Root); err != nil {
		return r.refuse(fmt.Sprintf("metadata/%d.root.json", root.Version), err)
	}
	return nil
}

func (r *refresh) keptRoots() error {
	for {
		from := r.trusted.Root.Signed.Version
		name := fmt.Sprintf("%d.root.json", from+1)
		for _, data := range r.whole(name, maxRootBytes) {
			if r.updateRoot(data) != nil {
				continue
			}
			if err := r.store.write(name, data); err != nil { // the other copy may be torn
				return err
			}
			break
		}
		if r.trusted.Root.Signed.Version == from {
			return nil
		}
	}
}

// updateRoot leaves the trusted root as it was on an error.
func (r *refresh) updateRoot(data []byte) error {
	before := r.trusted.Root
	next, err := metadata.Root().FromBytes(data)
	if err == nil {
		err = checkRoot(next.Signed)
	}
	if err == nil {
		_, err = r.trusted.UpdateRoot(data)
	}
	if err != nil {
		r.trusted.Root = before
	}
	return err
}

// checkRoot refuses what go-tuf would take, or panic on.
func checkRoot(root metadata.RootType) error {
	if !root.ConsistentSnapshot {
		return errors.New("it does not ask for consistent snapshots")
	}
	for id, key := range root.Keys {
		if raw, err := hex.DecodeString(key.Value.PublicKey); key.Type == metadata.KeyTypeEd25519 && (err != nil || len(raw) != 32) {
			return fmt.Errorf("key %q is no Ed25519 key", id)
		}
	}
	return nil
}

// online decides, once the root stands, whether the floors that came through the keys of timestamp and snapshot hold (§5.3.11). The kept
// metadata goes first: after a power cut between the two, the floors' keys tell the same again.
func (r *refresh) online(context.Context) error {
	root := r.trusted.Root.Signed
	if r.floors.rotated(root) || r.kept.Generation == 0 && r.keptIsForeign() {
		if err := r.store.remove("timestamp.json", "snapshot.json"); err != nil {
			return err
		}
		r.floors.fall()
	}
	r.floors.seeRoot(root)
	return r.keepFloors()
}

// keptIsForeign tells, where the floors' keys are lost, whether kept metadata was signed by keys that are revoked by now: whole, but not valid.
func (r *refresh) keptIsForeign() bool {
	for _, data := range r.whole("timestamp.json", maxTimestampBytes) {
		if m, err := metadata.Timestamp().FromBytes(data); err == nil && r.trusted.Root.VerifyDelegate(metadata.TIMESTAMP, m) != nil {
			return true
		}
	}
	for _, data := range r.whole("snapshot.json", maxSnapshotBytes) {
		if m, err := metadata.Snapshot().FromBytes(data); err == nil && r.trusted.Root.VerifyDelegate(metadata.SNAPSHOT, m) != nil {
			return true
		}
	}
	return false
}
