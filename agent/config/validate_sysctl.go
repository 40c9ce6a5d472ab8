package config

import (
	"maps"
	"slices"
	"strings"

	"github.com/stele-os/stele/internal/pattern"

	"github.com/stele-os/stele/internal/strictyaml"
)

// sysctlName is a path below /proc/sys with dots for slashes; as in sysctl.d(5), a slash stands for a dot inside a part ("net.ipv4.conf.eth0/5.forwarding").
var sysctlName = pattern.New(`^[a-z][a-z0-9_-]*(\.[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*)+$`)

func (c *checker) sysctls(path string, sysctls map[string]string) {
	for _, name := range slices.Sorted(maps.Keys(sysctls)) {
		path, value := strictyaml.Key(path, name), sysctls[name]
		switch {
		case !sysctlName().MatchString(name):
			c.problem(path, "is not the name of a kernel parameter, such as \"net.core.somaxconn\"")
		case strings.TrimSpace(value) == "":
			c.problem(path, "has no value")
		case strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }):
			c.problem(path, "has a value with a line break or control character")
		case strings.HasPrefix(strings.TrimSpace(value), "|"):
			c.problem(path, "would make the kernel run a program: the root holds none")
		}
	}
}
