package repository

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stele-os/stele/agent/fault"
	"github.com/stele-os/stele/agent/state"
	"github.com/stele-os/stele/internal/bundle"
)

var webMachine = Machine{Image: "web", Architecture: "x86_64", Version: "1.1.0", RootHash: testInfo("1.1.0").RootHash}

func targetOf(version string, change func(*bundle.Info)) Target {
	info := testInfo(version)
	if change != nil {
		change(&info)
	}
	return Target{Path: "targets/" + info.TargetName(), Info: info}
}

func TestSelect(t *testing.T) {
	rejected := webMachine
	rejected.Rejected = []state.Rejection{{Version: "1.2.0", Reason: "container web was never ready"}}
	sameRoot := func(i *bundle.Info) { i.RootHash = webMachine.RootHash }
	arm := func(i *bundle.Info) { i.Architecture = "arm64" }
	database := func(i *bundle.Info) { i.Name = "database" }
	needs := func(v string) func(*bundle.Info) { return func(i *bundle.Info) { i.MinimumVersion = v } }
	secure := webMachine
	secure.SecurityFloor = 2
	security := func(n int64) func(*bundle.Info) { return func(i *bundle.Info) { i.SecurityVersion = n } }
	for _, c := range []struct {
		name    string
		m       Machine
		list    []Target
		version string
		want    string // version, or reason
	}{
		{"empty", webMachine, nil, "", "the repository is empty"},
		{"the newest", webMachine, []Target{targetOf("1.2.0", nil), targetOf("1.10.0", nil), targetOf("1.9.0", nil)}, "", "1.10.0"},
		{"by name", webMachine, []Target{targetOf("1.2.0", nil), targetOf("1.10.0", nil)}, "1.2.0", "1.2.0"},
		{"unknown", webMachine, []Target{targetOf("1.2.0", nil)}, "1.3.0", "web_1.2.0_x86_64.bundle: 1.3.0 was asked for"},
		{"same version", webMachine, []Target{targetOf("1.1.0", nil)}, "", "web_1.1.0_x86_64.bundle: 1.1.0 is running"},
		{"same version by name", webMachine, []Target{targetOf("1.1.0", nil)}, "1.1.0", "web_1.1.0_x86_64.bundle: 1.1.0 is running"},
		{"older", webMachine, []Target{targetOf("1.0.9", nil)}, "1.0.9", "web_1.0.9_x86_64.bundle: it is older than 1.1.0, which is running"},
		{"candidate of the running one", webMachine, []Target{targetOf("1.1.0~rc1", nil)}, "", "web_1.1.0~rc1_x86_64.bundle: it is older than 1.1.0, which is running"},
		{"same root", webMachine, []Target{targetOf("1.2.0", sameRoot)}, "", "web_1.2.0_x86_64.bundle: its root is the one that is running, as version 1.1.0"},
		{"architecture", webMachine, []Target{targetOf("1.2.0", arm)}, "", "web_1.2.0_arm64.bundle: it is for arm64, this machine is x86_64"},
		{"image", webMachine, []Target{targetOf("1.2.0", database)}, "", `database_1.2.0_x86_64.bundle: it is image "database", this machine is "web"`},
		{"minimum", webMachine, []Target{targetOf("1.3.0", needs("1.2.0"))}, "", "web_1.3.0_x86_64.bundle: it needs 1.2.0 or newer to be running, and 1.1.0 is"},
		{"a step on the way", webMachine, []Target{targetOf("1.3.0", needs("1.2.0")), targetOf("1.2.0", needs("1.1.0"))}, "", "1.2.0"},
		{"below the floor", secure, []Target{targetOf("1.2.0", security(1))}, "", "web_1.2.0_x86_64.bundle: its security version is 1, and this machine takes 2 or more"},
		{"below the floor, by name", secure, []Target{targetOf("1.2.0", nil), targetOf("1.3.0", security(2))}, "1.2.0", "web_1.3.0_x86_64.bundle: 1.2.0 was asked for"},
		{"at the floor", secure, []Target{targetOf("1.2.0", security(2)), targetOf("1.3.0", security(1))}, "", "1.2.0"},
		{"rejected", rejected, []Target{targetOf("1.2.0", nil)}, "", "web_1.2.0_x86_64.bundle: this machine has rejected it: container web was never ready"},
		{"rejected, by name", rejected, []Target{targetOf("1.2.0", nil)}, "1.2.0", "1.2.0"},
		{"beside a rejected one", rejected, []Target{targetOf("1.2.0", nil), targetOf("1.1.1", nil)}, "", "1.1.1"},
	} {
		choice := Select(Targets{List: c.list}, c.m, c.version)
		got := choice.Target.Info.Version
		if !choice.Found() {
			got = choice.Reason()
		}
		if got != c.want || len(choice.Refused)+len(got)-len(strings.TrimSpace(got)) > len(c.list) || (choice.Err(c.version) == nil) != choice.Found() {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestChoiceErr(t *testing.T) {
	list := Targets{List: []Target{targetOf("1.0.0", nil), targetOf("1.2.0", func(i *bundle.Info) { i.Architecture = "arm64" })}}
	for version, want := range map[string]string{
		"":      "precondition cannot take a version: web_1.2.0_arm64.bundle: it is for arm64, this machine is x86_64",
		"1.0.0": `precondition cannot take version "1.0.0": web_1.0.0_x86_64.bundle: it is older than 1.1.0, which is running`,
		"7.0.0": `not-found cannot take version "7.0.0": the repository does not have it`,
	} {
		err := Select(list, webMachine, version).Err(version)
		if got := fmt.Sprint(fault.KindOf(err), " ", err); got != want {
			t.Errorf("%s", got)
		}
	}
}

// TestCustomNonsense: a target that this version does not understand, or that contradicts itself, is refused alone and with its reason.
func TestCustomNonsense(t *testing.T) {
	f := newForge(t)
	good := testInfo("1.4.0")
	custom, _ := good.Encode()
	f.addTarget("other.bundle", good.BundleBytes, custom)
	f.addTarget("web_1.4.0_x86_64.bundle", 7, custom)
	f.addTarget("nothing", 7, json.RawMessage(`{}`))
	f.addTarget("number", 7, json.RawMessage(`7`))
	f.addTarget("newer", 7, json.RawMessage(`{"stele":{"format":2}}`))
	f.addTarget("unknown", 7, json.RawMessage(`{"stele":{"format":1,"surprise":1}}`))
	f.addTarget("../../up", 7, json.RawMessage(strings.ReplaceAll(string(custom), `"web"`, `"../../up"`)))
	f.addTarget("bare", 7, nil)
	f.targets["bare"].Custom = nil
	f.publish()
	targets := newMachine(t, f.files["metadata/1.root.json"]).mustRefresh(f.files)
	if versions(targets) != "1.1.0" {
		t.Errorf("%+v", targets.List)
	}
	var got []string
	for _, r := range targets.Refused {
		got = append(got, r.Target+": "+r.Reason)
	}
	for i, want := range []string{"../../up: ", "bare: it has no custom field", "newer: cannot read bundle information: its format is 2, known is 1", "nothing: ", "number: ",
		`other.bundle: its information is that of "web_1.4.0_x86_64.bundle"`, "unknown: ", "web_1.4.0_x86_64.bundle: its length is 7, its information says 1049080"} {
		if i >= len(got) || !strings.HasPrefix(got[i], want) {
			t.Fatalf("%q, want %q", got, want)
		}
	}
}

// TestUnfitRepositories: everything in them is signed as it should be, and still nothing is for this machine.
func TestUnfitRepositories(t *testing.T) {
	for reason, add := range map[string]func(*forge){
		"this machine is x86_64":           func(f *forge) { f.addBundle("1.2.0", func(i *bundle.Info) { i.Architecture = "arm64" }) },
		`this machine is "web"`:            func(f *forge) { f.addBundle("1.2.0", func(i *bundle.Info) { i.Name = "database" }) },
		"needs 1.1.5 or newer":             func(f *forge) { f.addBundle("1.2.0", func(i *bundle.Info) { i.MinimumVersion = "1.1.5" }) },
		"1.1.0 is running":                 func(f *forge) { f.addBundle("1.1.0", nil) },
		"older than 1.1.0":                 func(f *forge) { f.addBundle("1.0.0", nil) },
		"its root is the one that is runn": func(f *forge) { f.addBundle("1.2.0", func(i *bundle.Info) { i.RootHash = webMachine.RootHash }) },
	} {
		f := newForge(t)
		clear(f.targets)
		add(f)
		f.publish()
		targets := newMachine(t, f.files["metadata/1.root.json"]).mustRefresh(f.files)
		for _, version := range []string{"", targets.List[0].Info.Version} {
			choice := Select(targets, webMachine, version)
			if err := choice.Err(version); err == nil || !strings.Contains(err.Error(), reason) || fault.KindOf(err) != fault.Precondition {
				t.Errorf("%q: %v", reason, err)
			}
		}
	}
}
