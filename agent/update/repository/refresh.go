package repository

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/theupdateframework/go-tuf/v2/metadata"
	"github.com/theupdateframework/go-tuf/v2/metadata/trustedmetadata"
)

// refresh is one walk through the client's workflow (TUF specification §5.3 to §5.6).
type refresh struct {
	source  Source
	store   store
	trusted *trustedmetadata.TrustedMetadata
	// kept are the floors on the medium, floors those of now.
	kept, floors floors
	// doubt about the clock.
	doubt string
}

// sourceError is the source's failure, as opposed to that of what it sent.
type sourceError struct{ error }

func (s sourceError) Unwrap() error { return s.error }

// get reads one file of at most limit bytes.
func (r *refresh) get(ctx context.Context, path string, limit int64) ([]byte, error) {
	fail := func(err error) ([]byte, error) {
		return nil, sourceError{fmt.Errorf("cannot read %q of %s: %w", path, r.source, err)}
	}
	body, err := r.source.Open(ctx, path, 0, -1)
	if err != nil {
		return fail(err)
	}
	data, err := io.ReadAll(io.LimitReader(body, limit+1))
	if err := errors.Join(err, body.Close()); err != nil && int64(len(data)) <= limit {
		return fail(err)
	}
	if int64(len(data)) > limit {
		return nil, r.refuse(path, fmt.Errorf("it is larger than %d bytes", limit))
	}
	if err := screen(data); err != nil {
		return nil, r.refuse(path, err)
	}
	return data, nil
}

func (r *refresh) refuse(path string, err error) error {
	return fmt.Errorf("cannot take %q of %s: %w", path, r.source, err)
}

// whole gives the kept copies of a file that the decoder may see.
func (r *refresh) whole(name string, limit int64) [][]byte {
	var found [][]byte
	for _, data := range r.store.read(name, limit) {
		if screen(data) == nil {
			found = append(found, data)
		}
	}
	return found
}

// timestamp is §5.4. A kept one that is older is still loaded, so that the new one is compared with it.
func (r *refresh) timestamp(ctx context.Context) error {
	const path = "metadata/timestamp.json"
	var held []byte
	for _, data := range r.whole("timestamp.json", maxTimestampBytes) {
		if checkTimestamp(data) != nil {
			continue
		}
		if _, err := r.trusted.UpdateTimestamp(data); err == nil {
			held = data
		} // one that is late still counts, a torn or foreign one is none
	}
	r.raiseTimestamp()
	data, err := r.get(ctx, path, maxTimestampBytes)
	if err != nil {
		return err
	}
	if err = checkTimestamp(data); err != nil {
		return r.refuse(path, err)
	}
	_, err = r.trusted.UpdateTimestamp(data)
	if errors.Is(err, &metadata.ErrEqualVersionNumber{}) {
		if err := r.belowTimestamp(); err != nil { // what is kept may be older than the floors: its newer copies are lost
			return r.refuse(path, err)
		}
		if held == nil {
			return nil
		}
		return r.store.write("timestamp.json", held)
	}
	if err == nil || isExpired(err) && r.trusted.Timestamp != nil {
		err = errors.Join(r.belowTimestamp(), err)
	}
	if err != nil {
		return r.refuse(path, err)
	}
	r.raiseTimestamp()
	return errors.Join(r.store.write("timestamp.json", data), r.keepFloors())
}

// checkTimestamp refuses one that go-tuf would take until it looks for the snapshot that is not listed.
func checkTimestamp(data []byte) error {
	m, err := metadata.Timestamp().FromBytes(data)
	if err == nil && m.Signed.Meta["snapshot.json"] == nil {
		err = errors.New("it lists no snapshot.json")
	}
	return err
}

func (r *refresh) belowTimestamp() error {
	t := r.trusted.Timestamp.Signed
	if err := below("timestamp", t.Version, r.floors.Timestamp); err != nil {
		return err
	}
	return below("snapshot", metaVersion(t.Meta, metadata.SNAPSHOT), r.floors.Snapshot)
}

func (r *refresh) raiseTimestamp() {
	if t := r.trusted.Timestamp; t != nil {
		r.floors.Timestamp = max(r.floors.Timestamp, t.Signed.Version)
		r.floors.Snapshot = max(r.floors.Snapshot, metaVersion(t.Signed.Meta, metadata.SNAPSHOT))
	}
}

// snapshot is §5.5.
func (r *refresh) snapshot(ctx context.Context) error {
	var current []byte
	for _, data := range r.whole("snapshot.json", maxSnapshotBytes) {
		if _, err := r.trusted.UpdateSnapshot(data, true); err == nil {
			current = data
		}
	}
	r.raiseSnapshot()
	if current != nil {
		return r.store.write("snapshot.json", current)
	}
	path := fmt.Sprintf("metadata/%d.snapshot.json", metaVersion(r.trusted.Timestamp.Signed.Meta, metadata.SNAPSHOT))
	data, err := r.get(ctx, path, maxSnapshotBytes)
	if err != nil {
		return err
	}
	if _, err = r.trusted.UpdateSnapshot(data, false); err == nil {
		err = below("targets", metaVersion(r.trusted.Snapshot.Signed.Meta, metadata.TARGETS), r.floors.Targets)
	}
	if err != nil {
		return r.refuse(path, err)
	}
	r.raiseSnapshot()
	return r.store.write("snapshot.json", data)
}

func (r *refresh) raiseSnapshot() {
	if s := r.trusted.Snapshot; s != nil {
		r.floors.Targets = max(r.floors.Targets, metaVersion(s.Signed.Meta, metadata.TARGETS))
	}
}

// targets is §5.6, for the top-level role only.
func (r *refresh) targets(ctx context.Context) error {
	for _, data := range r.whole("targets.json", maxTargetsBytes) {
		if _, err := r.trusted.UpdateTargets(data); err == nil {
			return r.store.write("targets.json", data)
		}
	}
	path := fmt.Sprintf("metadata/%d.targets.json", metaVersion(r.trusted.Snapshot.Signed.Meta, metadata.TARGETS))
	data, err := r.get(ctx, path, maxTargetsBytes)
	if err != nil {
		return err
	}
	if _, err := r.trusted.UpdateTargets(data); err != nil {
		return r.refuse(path, err)
	}
	return r.store.write("targets.json", data)
}

// keepFloors writes them where they differ from what is on the medium, or one of the two copies is not whole.
func (r *refresh) keepFloors() error {
	if !r.floors.equal(r.kept) {
		r.floors.Generation = r.kept.Generation + 1
	}
	if err := r.store.write(floorsName, r.floors.encode()); err != nil {
		return err
	}
	r.kept = r.floors
	return nil
}

func isExpired(err error) bool { return errors.Is(err, &metadata.ErrExpiredMetadata{}) }
