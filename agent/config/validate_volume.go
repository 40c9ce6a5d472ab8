package config

import (
	"path"
	"strings"

	"github.com/stele-os/stele/agent/plan"
	"github.com/stele-os/stele/api/v1alpha1"
	"github.com/stele-os/stele/internal/strictyaml"
)

// ownPaths are the agent's: a container that could write them could take the machine over, or keep it from booting.
var ownPaths = []string{"/var/lib/stele", "/run/stele", "/var/lib/containerd", "/run/containerd", "/efi"}

const minEmptyDirBytes = 4096 // one page

func (c *checker) volumes(at string, docs []v1alpha1.Volume) {
	names := map[string]string{}
	for i, doc := range docs {
		at := strictyaml.Index(at, i)
		c.name(at+".name", doc.Name)
		if doc.Name != "" {
			c.unique(names, at+".name", "name", doc.Name)
		}
		sources := 0
		for _, given := range []bool{doc.Persistent != nil, doc.EmptyDir != nil, doc.HostPath != nil} {
			if given {
				sources++
			}
		}
		if sources != 1 {
			c.problem(at, "needs exactly one of persistent, emptyDir and hostPath, it has %d; \"persistent: {}\" keeps a directory across reboots", sources)
		}
		if doc.EmptyDir != nil && doc.EmptyDir.SizeLimit != "" {
			c.bytes(at+".emptyDir.sizeLimit", doc.EmptyDir.SizeLimit, minEmptyDirBytes)
		}
		if doc.HostPath != nil {
			c.hostPath(at+".hostPath.path", doc.HostPath.Path)
		}
	}
}

func (c *checker) hostPath(at, name string) {
	if !c.absolute(at, name) {
		return
	}
	if strings.HasPrefix(name, "/proc/") {
		c.problem(at, "lies below /proc, which shows other processes' secrets: mount /proc itself, read-only, if it is needed")
	}
	for _, own := range ownPaths {
		switch {
		case within(name, own):
			c.problem(at, "%q belongs to the agent: use a persistent volume", name)
			return
		case within(own, name):
			c.problem(at, "%q contains %s, which belongs to the agent: mount the directory that is needed", name, own)
			return
		}
	}
}

// absolute checks that a path is absolute and says plainly where it leads.
func (c *checker) absolute(at, name string) bool {
	switch {
	case name == "":
		c.problem(at, "is missing: give an absolute path")
	case !path.IsAbs(name):
		c.problem(at, "%q is not an absolute path", name)
	case path.Clean(name) != name:
		c.problem(at, "%q is not written plainly: did you mean %q?", name, path.Clean(name))
	case strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }):
		c.problem(at, "%q holds a control character", name)
	default:
		return true
	}
	return false
}

// within tells whether a is b or below it.
func within(a, b string) bool { return a == b || strings.HasPrefix(a, strings.TrimSuffix(b, "/")+"/") }

// bytes checks a size of at least so many bytes.
func (c *checker) bytes(at, text string, least int64) {
	n, err := plan.ParseBytes(text)
	switch {
	case err != nil:
		c.problem(at, "%q %v", text, err)
	case n < least:
		c.problem(at, "%q is %d bytes, the least is %d: is the suffix missing, as in \"64Mi\"?", text, n, least)
	}
}
