package containers

import (
	"reflect"
	"testing"
	"time"

	"github.com/stele-os/stele/agent/plan"
)

func desired(change func(*plan.Desired)) map[string]specification {
	d := plan.Desired{
		Volumes: []plan.Volume{{Name: "data", Kind: plan.VolumePersistent, Path: "/var/lib/stele/volumes/data"}},
		Containers: []plan.Container{
			{Name: "a", Image: "demo", Baked: true, Mounts: []plan.Mount{{Volume: "data", Path: "/data"}}, Liveness: &plan.Probe{TCP: "127.0.0.1:1"}},
			{Name: "b", Image: "example.com/b:1"},
		},
	}
	if change != nil {
		change(&d)
	}
	return specify(d)
}

func TestDiff(t *testing.T) {
	tests := []struct {
		name       string
		have, want map[string]specification
		change     change
	}{
		{"from nothing", nil, desired(nil), change{Start: []string{"a", "b"}}},
		{"to nothing", desired(nil), nil, change{Stop: []string{"a", "b"}}},
		{"nothing new", desired(nil), desired(nil), change{}},
		{"an image changes", desired(nil), desired(func(d *plan.Desired) { d.Containers[1].Image = "example.com/b:2" }), change{Replace: []string{"b"}}},
		{"a volume changes", desired(nil), desired(func(d *plan.Desired) { d.Volumes[0].Path = "/elsewhere" }), change{Replace: []string{"a"}}},
		{"an unused volume changes nothing", desired(nil), desired(func(d *plan.Desired) { d.Volumes = append(d.Volumes, plan.Volume{Name: "x"}) }), change{}},
		{"a registry changes nothing", desired(nil), desired(func(d *plan.Desired) { d.Registries = []plan.Registry{{Host: "example.com"}} }), change{}},
		{"one goes, one comes", desired(nil), desired(func(d *plan.Desired) { d.Containers[1].Name = "c" }), change{Start: []string{"c"}, Stop: []string{"b"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := diff(tt.want, tt.have); !reflect.DeepEqual(got, tt.change) {
				t.Errorf("%+v, want %+v", got, tt.change)
			}
		})
	}
}

func TestHashLeavesProbesOut(t *testing.T) {
	plain := desired(nil)["a"].hash()
	probed := desired(func(d *plan.Desired) { d.Containers[0].Liveness = &plan.Probe{TCP: "127.0.0.1:2", Period: time.Second} })["a"].hash()
	other := desired(func(d *plan.Desired) { d.Containers[0].Env = []string{"A=b"} })["a"].hash()
	if plain != probed {
		t.Error("a changed probe makes a new container")
	}
	if plain == other {
		t.Error("a changed environment makes no new container")
	}
}

func TestPulledImages(t *testing.T) {
	got := pulledImages(desired(func(d *plan.Desired) {
		d.Containers = append(d.Containers, plan.Container{Name: "c", Image: "example.com/b:1"}, plan.Container{Name: "d", Image: "example.com/a:1"})
	}))
	if want := []string{"example.com/a:1", "example.com/b:1"}; !reflect.DeepEqual(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
