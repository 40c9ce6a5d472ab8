package machine

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stele-os/stele/agent/config"
	"github.com/stele-os/stele/agent/plan"
	"github.com/stele-os/stele/operator/contexts"
)

// What `stele run` adds to the demo's document is one that the agent takes, and the API listens to whom the contexts file names.
func TestAccess(t *testing.T) {
	dir := t.TempDir()
	first := access{filepath.Join(dir, "contexts.yaml"), "demo"}
	ca, err := first.prepare(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	document := withAPI(DemoDocument, ca)
	if _, problems := config.Evaluate(config.Input{User: document, UserSource: "demo.yaml"}, plan.Facts{}); problems != nil {
		t.Error(problems)
	}
	if apiPort(document) != DefaultAPIPort || apiPort(DemoDocument) != 0 || DefaultAPIPort != plan.DefaultAPIPort {
		t.Error("the port of the API is not found")
	}
	if again, err := first.prepare(time.Now()); err != nil || again != ca {
		t.Errorf("the second run has another CA: %v", err)
	}
	for i, a := range []access{first, {first.Contexts, "other"}, first} {
		if err := a.trust("127.0.0.1:"+string(rune('1'+i)), "SHA256:a"); err != nil {
			t.Fatal(err)
		}
	}
	file, err := contexts.Load(first.Contexts)
	if err != nil {
		t.Fatal(err)
	}
	target, err := file.Select(contexts.Selection{})
	if err != nil || len(target.Nodes) != 2 || target.Nodes[0].Address != "127.0.0.1:3" || target.Identity.Name != localName {
		t.Errorf("without a word said, %+v are called: %v", target, err)
	}
	if info, err := os.Stat(first.Contexts); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key is readable: %v", info)
	}
}

func TestAPIPort(t *testing.T) {
	for document, want := range map[string]int{
		"spec: {api: {clientCAs: x}}":             DefaultAPIPort,
		"spec: {api: {port: 9000, clientCAs: x}}": 9000,
		"spec: {}": 0,
		"a: [":     0,
		"":         0,
	} {
		if got := apiPort([]byte(document)); got != want {
			t.Errorf("%q: got %d, want %d", document, got, want)
		}
	}
}

func TestHowToAsk(t *testing.T) {
	o := RunOptions{Program: "bin/stele", Node: "web"}
	own := o.howToAsk("127.0.0.1:7835", "SHA256:a", nil)
	if !strings.Contains(strings.Join(own, "\n"), "bin/stele node trust web 127.0.0.1:7835 --fingerprint SHA256:a") {
		t.Errorf("got %q", own)
	}
	ready := o.howToAsk("127.0.0.1:7835", "SHA256:a", &access{"/run/api/contexts.yaml", "demo"})
	if got := strings.Join(ready, "\n"); !strings.Contains(got, "export STELE_CONTEXTS=/run/api/contexts.yaml") || !strings.Contains(got, "bin/stele node status") {
		t.Errorf("got %q", ready)
	}
}
