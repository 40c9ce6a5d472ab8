package containers

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stele-os/stele/agent/plan"
)

func TestRegistryHosts(t *testing.T) {
	registries := []plan.Registry{
		{Host: "registry.example.com:5000", Endpoints: []string{"http://mirror.example.com/cache", "http://registry.example.com:5000"}},
		{Host: "docker.io", Endpoints: []string{"https://mirror.example.com", "https://docker.io"}},
		{Host: "broken.example.com", Endpoints: []string{"nonsense"}},
		{Host: "ca.example.com", Endpoints: []string{"https://ca.example.com"}, CA: "no certificate"},
	}
	tests := []struct{ host, want, fails string }{
		{"registry.example.com:5000", "http://mirror.example.com/cache/v2 http://registry.example.com:5000/v2", ""},
		{"docker.io", "https://mirror.example.com/v2 https://registry-1.docker.io/v2", ""},
		{"other.example.com", "https://other.example.com/v2", ""},
		{"broken.example.com", "", `endpoint "nonsense" is no URL`},
		{"ca.example.com", "", "holds no PEM certificate"},
	}
	for _, tt := range tests {
		t.Run(tt.host, func(t *testing.T) {
			hosts, err := registryHosts(registries)(tt.host)
			if tt.fails != "" {
				if err == nil || !strings.Contains(err.Error(), tt.fails) {
					t.Fatalf("error %v, want %q", err, tt.fails)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, h := range hosts {
				got = append(got, fmt.Sprintf("%s://%s%s", h.Scheme, h.Host, h.Path))
			}
			if strings.Join(got, " ") != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

func TestNeedsClock(t *testing.T) {
	registries := []plan.Registry{{Host: "plain.example.com", Endpoints: []string{"http://plain.example.com"}}}
	for ref, want := range map[string]bool{"plain.example.com/a:1": false, "example.com/a:1": true} {
		if got := needsClock(ref, registries); got != want {
			t.Errorf("%s: %v", ref, got)
		}
	}
}

func TestPrepareVolume(t *testing.T) {
	dir := t.TempDir()
	for range 2 {
		if err := prepareVolume(plan.Volume{Kind: plan.VolumePersistent, Path: dir + "/volumes/data"}, user{}); err != nil {
			t.Error(err)
		}
	}
	s := specification{
		Container: plan.Container{Mounts: []plan.Mount{{Volume: "x"}}},
		Volumes:   []plan.Volume{{Kind: plan.VolumeHostPath, Path: dir + "/none"}},
	}
	err := prepareVolumes(s, user{})
	if err == nil || !strings.Contains(err.Error(), `cannot mount volume "x": the machine has no path`) {
		t.Errorf("error %v names neither volume nor path", err)
	}
}
