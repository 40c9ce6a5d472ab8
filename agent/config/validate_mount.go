package config

import (
	"github.com/stele-os/stele/api/v1alpha1"
	"github.com/stele-os/stele/internal/strictyaml"
)

// mounts checks that each mount has a volume and a place of its own.
func (c *checker) mounts(path string, docs []v1alpha1.VolumeMount, volumes map[string]bool) {
	paths := map[string]string{}
	for i, doc := range docs {
		path := strictyaml.Index(path, i)
		if doc.Name == "" {
			c.problem(path+".name", "is missing: name one of spec.volumes")
		} else if !volumes[doc.Name] {
			c.problem(path+".name", "there is no volume %q: add it to spec.volumes, or correct the name", doc.Name)
		}
		if !c.absolute(path+".mountPath", doc.MountPath) {
			continue
		}
		if doc.MountPath == "/" || doc.MountPath == "/dev" || within(doc.MountPath, "/proc") {
			c.problem(path+".mountPath", "%q is made by the runtime: mount the volume elsewhere", doc.MountPath)
		}
		c.unique(paths, path+".mountPath", "path", doc.MountPath)
	}
}
