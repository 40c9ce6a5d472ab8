package config

import (
	"github.com/stele-os/stele/agent/plan"
	"github.com/stele-os/stele/internal/strictyaml"
)

// DecodeFacts reads the facts of a machine as a person writes them for `stele config plan --facts FILE`.
func DecodeFacts(data []byte, source string) (plan.Facts, []Problem) {
	var facts plan.Facts
	_, problems := strictyaml.Decode(data, &facts)
	return facts, fromYAML(source, problems)
}
