package slotstest

import (
	"bytes"
	"context"
	"testing"

	"github.com/stele-os/stele/internal/bundle"
)

// Bundle makes the bundle of a version and gives its Info, complete.
func Bundle(t testing.TB, v Version) ([]byte, bundle.Info) {
	t.Helper()
	source := func(b []byte) bundle.Source { return bundle.Source{Reader: bytes.NewReader(b), Bytes: int64(len(b))} }
	var out bytes.Buffer
	info, err := bundle.Write(context.Background(), &out, bundle.Sources{UKI: source(v.UKI), Verity: source(v.Tree), Root: source(v.Root)}, v.Info)
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes(), info
}
