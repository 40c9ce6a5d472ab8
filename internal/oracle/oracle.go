// Package oracle finds foreign programs that judge our formats in tests: sgdisk, veritysetup, fsck.erofs and the like.
//
// A missing program skips the test by name on a laptop, and fails it where CI is set: there a skip would be a hole nobody sees.
package oracle

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Tool returns the path of a program, looking in the system directories too, which a user's PATH often lacks.
func Tool(t testing.TB, name string) string {
	t.Helper()
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	for _, dir := range []string{"/usr/sbin", "/sbin"} {
		path := filepath.Join(dir, name)
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	Missing(t, name+" is missing")
	return ""
}

// Missing ends a test that lacks something of the host: a skip that names it, or a failure where CI is set.
func Missing(t testing.TB, reason string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatalf("%s, and CI is set", reason)
	}
	t.Skip(reason)
}

// Run runs a program that must exit 0 and returns what it printed.
func Run(t testing.TB, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(Tool(t, name), args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
	return string(out)
}
