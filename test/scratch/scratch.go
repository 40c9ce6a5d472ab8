// Package scratch gives tests directories that stay when the test fails.
package scratch

import (
	"os"
	"path/filepath"
	"testing"
)

// Dir is an empty directory of the test's own: under STELE_TEST_DIR, else under build/test of a package two levels below the module's root.
func Dir(t testing.TB) string {
	t.Helper()
	root := os.Getenv("STELE_TEST_DIR")
	if root == "" {
		root = filepath.Join("..", "..", "build", "test")
	}
	dir, err := filepath.Abs(filepath.Join(root, t.Name()))
	if err == nil {
		err = os.RemoveAll(dir)
	}
	if err == nil {
		err = os.MkdirAll(dir, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if !t.Failed() {
			os.RemoveAll(dir)
		}
	})
	return dir
}
