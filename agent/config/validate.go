package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/stele-os/stele/agent/plan"
	"github.com/stele-os/stele/api/v1alpha1"
	"github.com/stele-os/stele/internal/strictyaml"
)

// Validate returns everything that is wrong with a merged document on a machine with these facts, each with its path. What it lets through, plan.Plan can plan (TestExamples, FuzzEvaluate).
func Validate(doc v1alpha1.Machine, facts plan.Facts) []Problem {
	c := &checker{facts: facts}
	spec := doc.Spec
	c.enums(reflect.ValueOf(doc), "")
	if spec.Hostname != "" {
		c.hostname("spec.hostname", spec.Hostname)
	}
	c.network("spec.network", spec.Network)
	for i, server := range spec.Time.Servers {
		c.host(strictyaml.Index("spec.time.servers", i), server)
	}
	c.sysctls("spec.sysctls", spec.Sysctls)
	c.registries("spec.registries", spec.Registries)
	c.volumes("spec.volumes", spec.Volumes)
	c.api("spec.api", spec.API, spec.Containers)
	c.update("spec.update", spec.Update, spec.Containers)
	c.containers("spec.containers", spec)
	return c.problems
}

// checker collects problems. Its methods are named after what they check and get the path of the value first.
type checker struct {
	facts    plan.Facts
	problems []Problem
}

func (c *checker) problem(path, format string, args ...any) {
	c.problems = append(c.problems, Problem{Path: path, Message: fmt.Sprintf(format, args...)})
}

// unique reports the second of two equal names in a list; seen holds the path of the first.
func (c *checker) unique(seen map[string]string, path, what, name string) {
	if first, ok := seen[name]; ok {
		c.problem(path, "the %s %q is already used by %s: choose another one", what, name, first)
		return
	}
	seen[name] = path
}

// enums checks every field that has an enum in its jsonschema tag, so that the schema and the agent cannot disagree.
func (c *checker) enums(v reflect.Value, path string) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			c.enums(v.Elem(), path)
		}
	case reflect.Slice:
		for i := range v.Len() {
			c.enums(v.Index(i), strictyaml.Index(path, i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			field := v.Type().Field(i)
			path := strictyaml.Field(path, strictyaml.Name(field))
			allowed := enumOf(field)
			if allowed == nil {
				c.enums(v.Field(i), path)
			} else if word := v.Field(i).String(); word != "" && !slices.Contains(allowed, word) {
				c.problem(path, "%q is not one of %s", word, strings.Join(allowed, ", "))
			}
		}
	}
}

func enumOf(field reflect.StructField) []string {
	var allowed []string
	for _, option := range strings.Split(field.Tag.Get("jsonschema"), ",") {
		if word, ok := strings.CutPrefix(option, "enum="); ok {
			allowed = append(allowed, word)
		}
	}
	return allowed
}
