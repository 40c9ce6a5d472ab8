package plan

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/stele-os/stele/api/v1alpha1"
	"github.com/stele-os/stele/internal/golden"
	"github.com/stele-os/stele/internal/strictyaml"
)

// Each testdata/NAME.yaml is a document; NAME.facts.yaml, where it exists, the machine's facts; NAME.golden.yaml the plan.
func TestPlan(t *testing.T) {
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		base := strings.TrimSuffix(file, ".yaml")
		if filepath.Ext(base) != "" {
			continue
		}
		t.Run(filepath.Base(base), func(t *testing.T) {
			var doc v1alpha1.Machine
			var facts Facts
			decodeFile(t, file, &doc)
			if _, err := os.Stat(base + ".facts.yaml"); err == nil {
				decodeFile(t, base+".facts.yaml", &facts)
			}
			desired, err := Plan(doc, facts)
			if err != nil {
				t.Fatal(err)
			}
			got, err := yaml.MarshalWithOptions(desired, yaml.IndentSequence(true))
			if err != nil {
				t.Fatal(err)
			}
			golden.Compare(t, base+".golden.yaml", string(got))
		})
	}
}

func decodeFile(t *testing.T, file string, into any) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if _, problems := strictyaml.Decode(data, into); problems != nil {
		t.Fatal(file, problems)
	}
}

// Plan says which object it cannot plan when it is given a document that was not validated.
func TestPlanErrors(t *testing.T) {
	for want, spec := range map[string]v1alpha1.MachineSpec{
		`cannot plan name server "ns"`:   {Network: v1alpha1.Network{Nameservers: []string{"ns"}}},
		`cannot plan interface "eth0"`:   {Network: v1alpha1.Network{Interfaces: []v1alpha1.Interface{{Name: "eth0", Addresses: []string{"x"}}}}},
		`cannot plan volume "v"`:         {Volumes: []v1alpha1.Volume{{Name: "v"}}},
		`cannot plan container "web"`:    {Containers: []v1alpha1.Container{{Name: "web"}}},
		`cannot plan container "limits"`: {Containers: []v1alpha1.Container{{Name: "limits", Image: "a", Resources: v1alpha1.Resources{Limits: v1alpha1.ResourceLimits{CPU: "x"}}}}},
	} {
		if _, err := Plan(v1alpha1.Machine{Spec: spec}, Facts{}); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
