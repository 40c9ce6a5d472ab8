package repository

import (
	"testing"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata/trustedmetadata"
)

// FuzzMetadata gives a stranger's bytes to every decoder in the way that Refresh does, without its net under panics. The
// corpus holds what a forge signs, and the documents on which go-tuf alone panics.
func FuzzMetadata(f *testing.F) {
	forge := newForge(f)
	root := forge.files["metadata/1.root.json"]
	f.Fuzz(func(t *testing.T, data []byte) {
		if screen(data) != nil {
			return
		}
		r := &refresh{source: forge.files, doubt: ""}
		r.trusted, _ = trust(root)
		r.trusted.RefTime = today
		if own, err := trust(data); err == nil { // as an image's root, and then as the next one of itself
			own.RefTime = time.Time{}
			_ = (&refresh{trusted: own}).updateRoot(data)
		}
		if err := r.updateRoot(data); err == nil {
			t.Fatal("a root that nobody signed is taken")
		}
		with := func(names ...string) *trustedmetadata.TrustedMetadata {
			trusted, _ := trust(root)
			trusted.RefTime = today
			for _, name := range names {
				switch name {
				case "timestamp":
					_, _ = trusted.UpdateTimestamp(forge.files["metadata/timestamp.json"])
				case "snapshot":
					_, _ = trusted.UpdateSnapshot(forge.files["metadata/1.snapshot.json"], false)
				}
			}
			return trusted
		}
		if checkTimestamp(data) == nil {
			_, _ = with().UpdateTimestamp(data)
			_, _ = with("timestamp").UpdateTimestamp(data)
		}
		_, _ = with("timestamp").UpdateSnapshot(data, true)
		_, _ = with("timestamp", "snapshot").UpdateSnapshot(data, false)
		_, _ = with("timestamp", "snapshot").UpdateTargets(data)
	})
}

// FuzzFloors: what decodes is encoded to a record that says the same.
func FuzzFloors(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		first, ok := decodeFloors(data)
		if !ok {
			return
		}
		if again, ok := decodeFloors(first.encode()); !ok || again.Generation != first.Generation || !again.equal(first) {
			t.Errorf("%+v became %+v", first, again)
		}
	})
}
