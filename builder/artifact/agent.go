package artifact

import "github.com/stele-os/stele/builder/definition"

// AgentName is the file that Agent makes.
const AgentName = "agent"

// Agent builds the machine's one program: agent, containerd and its shim. The package that knows what can be left out of
// containerd says with which tags.
func (g *Go) Agent(arch definition.Arch) (Recipe, error) {
	tags, err := g.Constant("agent/containerd", "BuildTags")
	if err != nil {
		return Recipe{}, err
	}
	return g.Program(Program{Name: AgentName, Dir: "cmd/stele-agent", Tags: tags}, arch)
}
