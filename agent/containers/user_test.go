package containers

import (
	"fmt"
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
