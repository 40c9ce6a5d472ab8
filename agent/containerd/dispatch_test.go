package containerd

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRole(t *testing.T) {
	tests := []struct{ name, arg0, variable, want string }{
		{"agent", "/sbin/init", "", ""},
		{"daemon", "containerd", "containerd", "containerd"},
		{"shim by its link", "/usr/bin/containerd-shim-runc-v2", "", "shim"},
		{"shim inherits the daemon's environment", "/usr/bin/containerd-shim-runc-v2", "containerd", "shim"},
		{"shim re-executed by its resolved path", "/usr/lib/stele/agent", "shim", "shim"},
		{"unknown role", "/usr/lib/stele/agent", "king", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := role(tt.arg0, tt.variable); got != tt.want {
				t.Errorf("role(%q, %q) = %q, want %q", tt.arg0, tt.variable, got, tt.want)
			}
		})
	}
}

func TestListenReplacesOldSocketsAndProtectsThem(t *testing.T) {
	c := DefaultConfig()
	c.State = filepath.Join(t.TempDir(), "state")
	for range 2 {
		s, err := Listen(c)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		for _, path := range []string{c.Address(), c.ttrpcAddress()} {
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			if got := info.Mode(); got != os.ModeSocket|0o600 {
				t.Errorf("mode of %q is %v, want a socket with 0600", path, got)
			}
		}
		cmd := c.Command("/usr/lib/stele/agent", s)
		if !strings.Contains(strings.Join(cmd.Env, " "), "STELE_ROLE=containerd") {
			t.Errorf("environment %q names no role", cmd.Env)
		}
	}
}
