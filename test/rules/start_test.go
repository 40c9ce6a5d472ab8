package rules

import (
	"go/ast"
	"go/token"
	"strings"
	"testing"
)

// TestNoExpressionAtStart: what a package compiles when it is initialised, each start of the agent's binary pays for, before the first container answers.
func TestNoExpressionAtStart(t *testing.T) {
	for _, file := range sources() {
		if file.isTest() || !strings.HasPrefix(file.path, "agent/") && !strings.HasPrefix(file.path, "internal/") {
			continue
		}
		for _, declaration := range file.Decls {
			if variables, ok := declaration.(*ast.GenDecl); ok && variables.Tok == token.VAR && compiles(variables) {
				t.Errorf("%s compiles a regular expression at initialisation: use internal/pattern", file.path)
			}
		}
	}
}

// compiles tells whether a declaration calls a function of regexp outside a function of its own.
func compiles(declaration ast.Node) bool {
	found := false
	ast.Inspect(declaration, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.SelectorExpr:
			of, ok := n.X.(*ast.Ident)
			found = found || ok && of.Name == "regexp" && strings.HasPrefix(n.Sel.Name, "MustCompile")
		}
		return true
	})
	return found
}
