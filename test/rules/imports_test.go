package rules

import (
	"strconv"
	"strings"
	"testing"
)

// importRule forbids imports. Paths are prefixes; those of this module are written without it.
type importRule struct {
	from   string
	to     []string
	reason string
	// tests: the rule holds for test files too.
	tests bool
}

var importRules = []importRule{
	{"internal/", []string{"agent/", "api/", "builder/", "cmd/", "docs/", "fleet/", "images/", "test/"},
		"internal packages are leaves: they know formats and systems, not this product", false},
	{"internal/", []string{"agent/", "builder/", "cmd/", "fleet/"},
		"a leaf that needs the product in its tests is none", true},
	{"agent/", []string{"builder", "cmd/", "docs", "fleet", "images", "test/"},
		"what runs inside a machine shares only api and internal with what builds it", false},
	{"builder/", []string{"agent/", "cmd/", "docs", "fleet", "test/"},
		"the builder must not depend on what the machine does at run time: both sides meet in api", false},
	{"fleet/", []string{"agent/", "builder/", "cmd/", "docs", "test/"},
		"the controller is a client of the agent's API, like anyone else's", false},
	{"operator/", []string{"agent/", "builder/", "cmd/", "docs", "fleet", "test/"},
		"what an operator runs is a client of the agent's API, like anyone else's", false},
	{"agent/", []string{"operator"}, "a machine has no operator inside", false},
	{"builder/", []string{"operator"}, "building needs no running machine", false},
	{"agent/", []string{"builder", "fleet"}, "the two halves are tested apart", true},
	{"builder/", []string{"agent/", "fleet"}, "the two halves are tested apart", true},
	{"agent/", []string{"github.com/spf13/cobra", "github.com/invopop/jsonschema"},
		"the agent is PID 1 and its size is the image's: command lines and schemas are the operator's tool's", false},
	{"agent/config", []string{"net/http"}, "configuration is decided from bytes: fetching them is agent/metadata's", true},
	{"agent/plan", []string{"os", "time/tzdata", "net/http", "math/rand", "math/rand/v2", "golang.org/x/sys/"},
		"planning is a pure function", false},
}

func TestImports(t *testing.T) {
	for _, file := range sources() {
		for _, spec := range file.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			imported = strings.TrimPrefix(imported, module)
			for _, rule := range importRules {
				if strings.HasPrefix(file.path, rule.from) && (rule.tests || !file.isTest()) && matches(imported, rule.to) {
					t.Errorf("%s imports %q: %s", file.path, imported, rule.reason)
				}
			}
		}
	}
}

// matches tells whether a path is one of the prefixes or lies below it.
func matches(imported string, prefixes []string) bool {
	for _, prefix := range prefixes {
		prefix = strings.TrimSuffix(prefix, "/")
		if imported == prefix || strings.HasPrefix(imported, prefix+"/") {
			return true
		}
	}
	return false
}

// api is what clients import: it must cost them nothing; its generated code costs them protobuf and Connect.
func TestAPIImportsStandardLibraryOnly(t *testing.T) {
	for _, file := range sources() {
		if !strings.HasPrefix(file.path, "api/") || strings.HasSuffix(file.path, ".pb.go") || strings.HasSuffix(file.path, ".connect.go") {
			continue
		}
		for _, spec := range file.Imports {
			first, _, _ := strings.Cut(strings.Trim(spec.Path.Value, `"`), "/")
			if strings.Contains(first, ".") {
				t.Errorf("%s imports %s: clients import api, it must cost them nothing", file.path, spec.Path.Value)
			}
		}
	}
}
