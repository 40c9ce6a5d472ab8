//go:build qemu

package qemu

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// commands are the indented blocks of a section of a page, as one script for a shell.
func commands(t *testing.T, page, section string) string {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(text), "\n## "+section+"\n")
	rest, _, _ = strings.Cut(rest, "\n## ")
	var script strings.Builder
	for _, line := range strings.Split(rest, "\n") {
		if command, ok := strings.CutPrefix(line, "    "); ok {
			script.WriteString(command + "\n")
		}
	}
	if !found || script.Len() == 0 {
		t.Fatalf("%s has no commands in section %q", page, section)
	}
	return script.String()
}

// What a newcomer finds in docs/updates.md is run as it stands there, word for word, and with nothing beside it: the ports are fixed.
func TestDocumentedUpdate(t *testing.T) {
	script := commands(t, filepath.Join("..", "..", "docs", "updates.md"), "Try an update")
	runDocumented(t, "build/try", "build/try/1.0.0", script, []string{
		`demo 1\.1\.0 for x86_64: published`,
		`version +demo 1\.0\.0 in slot a\n`,
		`demo: staged 1\.1\.0`,
		`demo: committed: 1\.1\.0`,
		`version +demo 1\.1\.0 in slot b\n`,
		`stele: node "demo" is back on 1\.1\.0: 1\.2\.0 was not kept: .*shop`,
		`rejected +1\.2\.0 `,
		`demo: runs 1\.1\.0, available 1\.3\.0`,
		`demo: committed: 1\.3\.0`,
		`demo: committed: 1\.1\.0`,
		`stopped the machine`,
	})
}

// What stands in docs/secure-boot.md, likewise.
func TestDocumentedSecureBoot(t *testing.T) {
	script := commands(t, filepath.Join("..", "..", "docs", "secure-boot.md"), "Try it")
	runDocumented(t, "build/secure", "build/secure/demo", script, []string{
		`keep them offline`,
		`Signature verification OK`,
		`machine +running`,
		`secure boot +enabled`,
		`stopped the machine`,
	})
}

// runDocumented runs a page's commands, below dir, with the machine of the image built in machineDir, and finds in their order what they are to say.
func runDocumented(t *testing.T, dir, machineDir, script string, wanted []string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Minute)
	defer cancel()
	run := func(script string) string {
		shell := exec.CommandContext(ctx, "bash", "-x")
		shell.Dir, shell.Stdin = filepath.Join("..", ".."), strings.NewReader(script)
		out, err := shell.CombinedOutput()
		if err != nil {
			t.Errorf("%v:\n%s", err, out)
		}
		return string(out)
	}
	run("rm -rf " + dir + "; go build -o bin/stele ./cmd/stele")
	t.Cleanup(func() {
		if t.Failed() {
			_ = exec.Command("../../bin/stele", "run", "--stop", "../../"+machineDir).Run()
		}
	})
	said := run(script)
	at := 0
	for _, want := range wanted {
		m := regexp.MustCompile(want).FindStringIndex(said[at:])
		if m == nil {
			t.Fatalf("nowhere behind byte %d: %s\n%s", at, want, said)
		}
		at += m[1]
	}
	t.Logf("%s", said)
}
