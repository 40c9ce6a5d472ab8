// Package golden compares what a test got with a file in the repository, and writes the file anew with -update.
//
// It is for tests only: it adds the flag -update to the test binary that imports it.
package golden

import (
	"flag"
	"os"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

// Compare fails the test where got is not the content of a file, named from the test's package.
func Compare(t testing.TB, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("differs from %s; -update accepts it.\n--- got\n%s\n--- want\n%s", path, got, want)
	}
}
