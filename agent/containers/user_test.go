package containers

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/stele-os/stele/agent/plan"
)

func TestResolveUser(t *testing.T) {
	root := fstest.MapFS{
		"etc/passwd": {Data: []byte("root:x:0:0::/root:/bin/sh\nweb:x:1000:1001::/home/web:/bin/sh\n")},
		"etc/group":  {Data: []byte("root:x:0:\nweb:x:1001:\nextra:x:50:web\n")},
	}
	number := func(n int64) *int64 { return &n }
	tests := []struct {
		name     string
		root     fstest.MapFS
		image    string
		security plan.Security
		want     string
		fails    bool
	}{
		{"nobody said anything", root, "", plan.Security{}, "{0 0 [] /root}", false},
		{"by name", root, "web", plan.Security{}, "{1000 1001 [50] /home/web}", false},
		{"by name and group", root, "web:extra", plan.Security{}, "{1000 50 [] /home/web}", false},
		{"numbers without passwd", fstest.MapFS{}, "7:8", plan.Security{}, "{7 8 [] /}", false},
		{"the document wins", root, "web", plan.Security{User: number(5), Group: number(6)}, "{5 6 [] /}", false},
		{"unknown name", root, "ghost", plan.Security{}, "", true},
		{"passwd is a link", fstest.MapFS{"etc/passwd": {Mode: 0o777 | 1<<27, Data: []byte("/etc/shadow")}}, "root", plan.Security{}, "", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			u, err := resolveUser(tt.root, tt.image, tt.security)
			if (err != nil) != tt.fails {
				t.Fatal(err)
			}
			if got := fmt.Sprint(u); !tt.fails && got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
		})
	}
}

// An image whose etc is a link to somewhere else has no passwd; nor has one whose passwd is larger than any of people.
func TestUsersStayInside(t *testing.T) {
	outside, image, large := t.TempDir(), t.TempDir(), t.TempDir()
	write := func(dir string, size int) {
		t.Helper()
		err := os.MkdirAll(filepath.Join(dir, "etc"), 0o755)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, "etc/passwd"), append([]byte("web:x:7:8::/:/sh\n"), make([]byte, size)...), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	write(outside, 0)
	write(large, maxUsersBytes)
	if err := os.Symlink(filepath.Join(outside, "etc"), filepath.Join(image, "etc")); err != nil {
		t.Fatal(err)
	}
	for dir, found := range map[string]bool{outside: true, image: false, large: false} {
		err := inside(dir, func(root fs.FS) error {
			_, err := resolveUser(root, "web", plan.Security{})
			return err
		})
		if (err == nil) != found {
			t.Errorf("%q: %v", dir, err)
		}
	}
}
