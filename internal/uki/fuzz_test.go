package uki

import (
	"bytes"
	"testing"
)

// FuzzSections: reading never panics, and what can be read can be appended to or is refused.
func FuzzSections(f *testing.F) {
	f.Add(testStub())
	f.Add(testImage(f))
	f.Fuzz(func(t *testing.T, image []byte) {
		before, err := Sections(image)
		read, readErr := Read(bytes.NewReader(image), int64(len(image)), OSRelease, CommandLine)
		if err != nil {
			return
		}
		if line, err := Find(before, CommandLine); readErr == nil && (err != nil || !bytes.Equal(line, read[1].Data)) {
			t.Fatalf("Read gives %q, Sections %q", read[1].Data, line)
		}
		grown, err := Append(image, []Section{{".added", []byte("data")}})
		if err != nil {
			return
		}
		after, err := Sections(grown)
		if err != nil || len(after) != len(before)+1 {
			t.Fatalf("%d sections became %d: %v", len(before), len(after), err)
		}
	})
}
