package repository

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// floors are the versions below which nothing is taken, apart from the metadata that they come from, so that torn metadata is no way back.
//
//	stele-update-floors v1 sha256:<64 hex digits of everything behind this line>\n
//	<JSON>
type floors struct {
	// Generation grows with each write: of two copies the greater one counts. The maximum of the two would bring back floors that fell.
	Generation int64 `json:"generation"`
	Root       int64 `json:"root"`
	Timestamp  int64 `json:"timestamp"`
	Snapshot   int64 `json:"snapshot"`
	Targets    int64 `json:"targets"`
	// RootKeys are all keys of the root role that were seen in this lineage; TimestampKeys and SnapshotKeys those under which the floors
	// were seen. They tell when floors fall.
	RootKeys      []string `json:"rootKeys,omitempty"`
	TimestampKeys []string `json:"timestampKeys,omitempty"`
	SnapshotKeys  []string `json:"snapshotKeys,omitempty"`
	// Security is the highest security version that was committed in this lineage. It does not fall with the online keys: it came from an image.
	Security int64 `json:"security,omitempty"`
	// Time of the last refresh under a clock that was not in doubt, Unix seconds.
	Time int64 `json:"time,omitempty"`
}

const (
	floorsName     = "floors"
	floorsMagic    = "stele-update-floors v1 sha256:"
	maxFloorsBytes = 256 << 10
	// maxRootKeys bounds RootKeys; the oldest go first.
	maxRootKeys = 256
)

// encode is the inverse of decodeFloors (FuzzFloors).
func (f floors) encode() []byte {
	body, _ := json.Marshal(f) // numbers and strings: cannot fail
	sum := sha256.Sum256(body)
	return append([]byte(floorsMagic+hex.EncodeToString(sum[:])+"\n"), body...)
}

func decodeFloors(data []byte) (floors, bool) {
	head, body, _ := bytes.Cut(data, []byte("\n"))
	sum := sha256.Sum256(body)
	var f floors
	if string(head) != floorsMagic+hex.EncodeToString(sum[:]) || json.Unmarshal(body, &f) != nil {
		return floors{}, false
	}
	return f, true
}

// newest of the copies that are whole.
func newestFloors(copies [][]byte) floors {
	var newest floors
	for _, data := range copies {
		if f, ok := decodeFloors(data); ok && f.Generation > newest.Generation {
			newest = f
		}
	}
	return newest
}

// foreignTo tells whether the image's root of trust has nothing to do with what the floors were seen under: an operator has given the image
// a new root, and its version numbers start again.
func (f floors) foreignTo(root metadata.RootType) bool {
	return len(f.RootKeys) > 0 && !slices.ContainsFunc(keyIDs(root, metadata.ROOT), func(id string) bool { return slices.Contains(f.RootKeys, id) })
}

// rotated tells whether a key of timestamp or snapshot was revoked since the floors were seen (TUF specification §5.3.11). A key that was
// only added is no reason: replaying what the others signed must stay impossible.
func (f floors) rotated(root metadata.RootType) bool {
	revoked := func(seen []string, role string) bool {
		return slices.ContainsFunc(seen, func(id string) bool { return !slices.Contains(keyIDs(root, role), id) })
	}
	return revoked(f.TimestampKeys, metadata.TIMESTAMP) || revoked(f.SnapshotKeys, metadata.SNAPSHOT)
}

// fall forgets the floors that came through the online keys.
func (f *floors) fall() {
	f.Timestamp, f.Snapshot, f.Targets = 0, 0, 0
	f.TimestampKeys, f.SnapshotKeys = nil, nil
}

// seeRoot raises the root's floor and notes its keys.
func (f *floors) seeRoot(root metadata.RootType) {
	f.Root = max(f.Root, root.Version)
	for _, id := range keyIDs(root, metadata.ROOT) {
		if !slices.Contains(f.RootKeys, id) {
			f.RootKeys = append(f.RootKeys, id)
		}
	}
	f.RootKeys = f.RootKeys[max(0, len(f.RootKeys)-maxRootKeys):]
	f.TimestampKeys, f.SnapshotKeys = keyIDs(root, metadata.TIMESTAMP), keyIDs(root, metadata.SNAPSHOT)
}

func (f floors) equal(g floors) bool {
	g.Generation = f.Generation
	return bytes.Equal(f.encode(), g.encode())
}

func keyIDs(root metadata.RootType, role string) []string {
	if r := root.Roles[role]; r != nil {
		return slices.Clone(r.KeyIDs)
	}
	return nil
}

// metaVersion is 0 where the role is missing.
func metaVersion(meta map[string]*metadata.MetaFiles, role string) int64 {
	if m := meta[role+".json"]; m != nil {
		return m.Version
	}
	return 0
}

func below(role string, version, floor int64) error {
	if version < floor {
		return fmt.Errorf("%s is version %d, and this machine has seen version %d: the repository was rolled back", role, version, floor)
	}
	return nil
}
