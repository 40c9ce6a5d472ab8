package config

import (
	"math"
	"slices"
	"strings"

	"github.com/stele-os/stele/agent/capability"
	"github.com/stele-os/stele/api/v1alpha1"
	"github.com/stele-os/stele/internal/strictyaml"
)

// maxID is the largest user or group id of Linux that means somebody: (uid_t)-1 means "no change" (setreuid(2)).
const maxID = math.MaxUint32 - 1

func (c *checker) security(path string, doc v1alpha1.SecurityContext) {
	c.id(path+".runAsUser", doc.RunAsUser)
	c.id(path+".runAsGroup", doc.RunAsGroup)
	c.capabilities(path+".capabilities.add", doc.Capabilities.Add)
	c.givenCapabilities(path+".capabilities.add", doc.Capabilities.Add)
	c.capabilities(path+".capabilities.drop", doc.Capabilities.Drop)
}

func (c *checker) id(path string, id *int64) {
	if id != nil && (*id < 0 || *id > maxID) {
		c.problem(path, "%d is not a user or group id: give one from 0 to %d", *id, int64(maxID))
	}
}

func (c *checker) capabilities(path string, names []string) {
	for i, name := range names {
		path := strictyaml.Index(path, i)
		bare := strings.TrimPrefix(strings.ToUpper(name), capability.Prefix)
		switch known := bare == "ALL" || slices.Contains(capability.Names, capability.Prefix+bare); {
		case known && bare != name:
			c.problem(path, "write %q as %q", name, bare)
		case !known:
			c.problem(path, "%q is not a capability of Linux: they are written as \"NET_BIND_SERVICE\", and \"ALL\" stands for all of them", name)
		}
	}
}

// givenCapabilities refuses to add what no container can have. To drop it changes nothing.
func (c *checker) givenCapabilities(path string, names []string) {
	for i, name := range names {
		if reason, withheld := capability.WithheldReason(capability.Prefix + name); withheld {
			c.problem(strictyaml.Index(path, i), "no container can have %q: %s; leave it out", name, reason)
		}
	}
}
