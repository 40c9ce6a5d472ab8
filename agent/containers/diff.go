package containers

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"

	"github.com/stele-os/stele/agent/plan"
)

// specify takes out of the desired state what each container is made from, by name.
func specify(d plan.Desired) map[string]specification {
	volumes := map[string]plan.Volume{}
	for _, v := range d.Volumes {
		volumes[v.Name] = v
	}
	specs := map[string]specification{}
	for _, c := range d.Containers {
		c.Required = false // what an update asks for, not what the container is made from
		s := specification{Container: c, Registries: d.Registries}
		for _, m := range c.Mounts {
			s.Volumes = append(s.Volumes, volumes[m.Volume])
		}
		specs[c.Name] = s
	}
	return specs
}

// hash identifies a specification. Probes are not part of it: the agent asks them, the container is not made from them.
func (s specification) hash() string {
	c := s.Container
	c.Liveness, c.Readiness = nil, nil
	s.Container = c
	data, err := json.Marshal(s)
	if err != nil {
		panic(err) // a specification is plain data
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// change is what the manager does next, names sorted.
type change struct {
	Start, Replace, Stop []string
}

// diff compares wanted with present workers. Equal specifications, probes and restart policy included, are left alone.
func diff(want, have map[string]specification) change {
	var c change
	for name, w := range want {
		h, ok := have[name]
		switch {
		case !ok:
			c.Start = append(c.Start, name)
		case !equal(w, h):
			c.Replace = append(c.Replace, name)
		}
	}
	for name := range have {
		if _, ok := want[name]; !ok {
			c.Stop = append(c.Stop, name)
		}
	}
	slices.Sort(c.Start)
	slices.Sort(c.Replace)
	slices.Sort(c.Stop)
	return c
}

func equal(a, b specification) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && string(x) == string(y)
}

// images of all containers that are not baked, sorted, each once.
func pulledImages(specs map[string]specification) []string {
	var images []string
	for _, s := range specs {
		if !s.Container.Baked {
			images = append(images, s.Container.Image)
		}
	}
	slices.Sort(images)
	return slices.Compact(images)
}
