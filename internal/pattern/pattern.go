// Package pattern holds regular expressions that are compiled when they are first used, and not when a program starts.
//
// The agent's binary starts four times before the first container answers (PID 1, containerd, and twice its shim), and each start pays for what
// packages do at initialisation: the seven that held two dozen expressions made 4 300 allocations there. TestNoExpressionAtStart (test/rules) holds that agent and internal
// packages make theirs here.
package pattern

import (
	"regexp"
	"sync"
)

// New returns the compiled form of an expression (syntax: regexp/syntax), made at the first call. That call panics where the expression is wrong.
func New(expression string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expression) })
}
