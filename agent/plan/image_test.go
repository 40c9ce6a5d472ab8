package plan

import (
	"strings"
	"testing"

	"github.com/stele-os/stele/api/v1alpha1"
)

func TestResolveImage(t *testing.T) {
	digest := "sha256:" + strings.Repeat("0", 64)
	facts := Facts{Image: v1alpha1.ImageInfo{BakedImages: []v1alpha1.BakedImage{{Name: "hello"}}}}
	for name, want := range map[string]Image{
		"hello":                           {Baked: true, Reference: "hello"},
		"hello:1":                         {Reference: "docker.io/library/hello:1"},
		"nginx":                           {Reference: "docker.io/library/nginx:latest", Latest: true},
		"nginx:latest":                    {Reference: "docker.io/library/nginx:latest", Latest: true},
		"someone/app":                     {Reference: "docker.io/someone/app:latest", Latest: true},
		"registry.example.com:5000/a/b:1": {Reference: "registry.example.com:5000/a/b:1"},
		"localhost/a:1":                   {Reference: "localhost/a:1"},
		"nginx@" + digest:                 {Reference: "docker.io/library/nginx@" + digest},
		"nginx:latest@" + digest:          {Reference: "docker.io/library/nginx:latest@" + digest},
	} {
		if got, err := ResolveImage(name, facts); err != nil || got != want {
			t.Errorf("%q: %+v, %v, want %+v", name, got, err, want)
		}
	}
	for _, name := range []string{"", "Nginx", "a b", "nginx:", "nginx@sha256:00", "https://example.com/a", "/a", strings.Repeat("a", 300)} {
		if got, err := ResolveImage(name, facts); err == nil {
			t.Errorf("%q is taken as %+v", name, got)
		}
	}
}
