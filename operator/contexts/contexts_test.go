package contexts

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func testFile(t *testing.T) *File {
	t.Helper()
	f, err := Load(filepath.Join(t.TempDir(), "stele", "contexts.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	f.PutNode(Node{Name: "web-1", Address: "192.0.2.1:7835", Fingerprint: "SHA256:a"})
	f.PutNode(Node{Name: "web-2", Address: "192.0.2.2:7835", CAFile: "ca.crt"})
	f.PutNode(Node{Name: "bare", Address: "192.0.2.3:7835"})
	f.PutIdentity(Identity{Name: "alice", CertificateFile: "alice.crt", KeyFile: "alice.key"})
	f.PutIdentity(Identity{Name: "bob", Certificate: "PEM", Key: "PEM"})
	f.PutContext(Context{Name: "lab", Nodes: []string{"web-1", "web-2"}, Identity: "alice"})
	f.PutContext(Context{Name: "empty"})
	return f
}

func TestRoundTrip(t *testing.T) {
	f := testFile(t)
	if err := f.Save(); err != nil {
		t.Fatal(err)
	}
	if info, _ := os.Stat(f.Path()); info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	again, err := Load(f.Path())
	if err != nil || !reflect.DeepEqual(again, f) {
		t.Errorf("got %+v, %v", again, err)
	}
}

func TestSelect(t *testing.T) {
	f := testFile(t)
	for _, tt := range []struct {
		name  string
		s     Selection
		nodes int
		as    string
		fails string
	}{
		{"the current context", Selection{}, 2, "alice", ""},
		{"another identity", Selection{Identity: "bob"}, 2, "bob", ""},
		{"one node", Selection{Nodes: []string{"web-2"}}, 1, "alice", ""},
		{"an unknown node", Selection{Nodes: []string{"web-9"}}, 0, "", `no node "web-9"`},
		{"an unknown context", Selection{Context: "moon"}, 0, "", `no context "moon"`},
		{"an unknown identity", Selection{Identity: "carol"}, 0, "", `no identity "carol"`},
		{"a context without nodes", Selection{Context: "empty"}, 0, "", "which machine"},
		{"nobody calls", Selection{Context: "empty", Nodes: []string{"web-1"}}, 0, "", "who calls"},
		{"a node that cannot be verified", Selection{Nodes: []string{"bare"}}, 0, "", "exactly one of"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := f.Select(tt.s)
			if tt.fails != "" {
				if err == nil || !strings.Contains(err.Error(), tt.fails) {
					t.Errorf("got %v", err)
				}
				return
			}
			if err != nil || len(got.Nodes) != tt.nodes || got.Identity.Name != tt.as {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
}

func TestLoadRefuses(t *testing.T) {
	for content, want := range map[string]string{
		"nodes:\n  - name: a\n    adress: b\n":                           "adress",
		"nodes:\n  - {name: a, address: b}\n  - {name: a, address: c}\n": `two of node "a"`,
		"contexts:\n  - {name: \"\"}\n":                                  "no name",
	} {
		path := filepath.Join(t.TempDir(), "contexts.yaml")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v", content, err)
		}
	}
}

func TestRemove(t *testing.T) {
	f := testFile(t)
	if !f.RemoveContext("lab") || f.Current != "" || f.RemoveContext("lab") || !f.RemoveNode("bare") || !f.RemoveIdentity("bob") {
		t.Error("removal is reported wrongly")
	}
}
