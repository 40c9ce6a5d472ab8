package containers

import "strings"

// setVariable puts NAME=value in the place of an earlier one of that name, or at the end.
func setVariable(env []string, variable string) []string {
	name, _, _ := strings.Cut(variable, "=")
	for i, old := range env {
		if strings.HasPrefix(old, name+"=") {
			env[i] = variable
			return env
		}
	}
	return append(env, variable)
}
