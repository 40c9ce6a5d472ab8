package command

import (
	"context"
	"io"
	"log"
	"strings"
	"testing"
	"time"

	"github.com/stele-os/stele/operator/contexts"
	"github.com/stele-os/stele/operator/pki"
)

var quiet = log.New(io.Discard, "", 0)

// expect runs a command; each line of want must be somewhere in what it prints or fails with, and wanting nothing of an error is wanting none.
func (d *desk) expect(t *testing.T, args, out, failed string) {
	t.Helper()
	got, gotFailed := d.stele(t.Context(), strings.Fields(args)...)
	for _, line := range strings.Split(out, "\n") {
		if !strings.Contains(got, line) {
			t.Errorf("%s: prints\n%s\nwhich lacks %q", args, got, line)
		}
	}
	if (failed == "") != (gotFailed == "") {
		t.Errorf("%s: fails with %q", args, gotFailed)
	}
	for _, line := range strings.Split(failed, "\n") {
		if !strings.Contains(gotFailed, line) {
			t.Errorf("%s: fails with\n%s\nwhich lacks %q", args, gotFailed, line)
		}
	}
}

// What a person sees of one machine that answers.
func TestOneMachine(t *testing.T) {
	d := newDesk(t)
	d.machine((&agent{}).serve(t, "web-1", d.authority))
	good, bad, binary := d.file("good.yaml", "good"), d.file("bad.yaml", "bad"), d.file("binary", "\xff\xfe")
	for _, c := range []struct{ args, out, failed string }{
		{"status", "node            web-1 (web-1)\nversion         demo 1.0.0 in slot a", ""},
		{"status -o json", `"version": "1.0.0"`, ""},
		{"status -o xml", "", `no output format "xml"`},
		{"events", "2026-11-21 12:00:00Z  web-1  machine: running\n2026-11-21 12:00:00Z  web-1  container web: ?[2Jready", ""},
		{"logs web", "one web, and its end", ""},
		{"logs kernel -t", "2026-11-21 12:00:00Z  one \n2026-11-21 12:00:00Z  , and its end", ""},
		{"logs audit", "", "node \"web-1\": LogService/Read of the audit log asks for the role admin\nhint: use an identity with a higher role: stele pki issue --role"},
		{"config check " + good, "web-1: nothing changes", ""},
		{"config check " + bad, "web-1: " + bad + ": spec.hostnme: unknown field", `node "web-1": it would refuse ` + bad},
		{"config check " + binary, "", "it is no text in UTF-8\nhint: stele config check"},
		{"config apply " + d.dir + "/none", "", "cannot read document"},
		{"config apply " + good, "web-1: hostname: becomes good\nweb-1: in force", ""},
		{"config apply --dry-run " + good, "web-1: a dry run: nothing was changed", ""},
		{"config apply --try 2m " + good, "web-1: in force on trial, taken back at 12:02:00Z unless confirmed: stele node config confirm --node web-1", ""},
		{"config confirm", "", "hint: the machine runs another version of Stele than this command"},
		{"update check", "web-1: runs 1.0.0, available 1.1.0, 3.0 MiB", ""},
		{"update --stage-only --version 1.1.0", "web-1: writing 1.1.0, 50 % of 10.0 MiB\nweb-1: staged 1.1.0\nweb-1: restart into it with: stele node update apply --node web-1", ""},
		{"update apply", "web-1: restarting into 1.1.0\nweb-1: committed: 1.1.0", ""},
		{"rollback", "web-1: restarting into 0.9.0\nweb-1: committed: 0.9.0", ""},
		{"reset", "", "a reset loses everything under /var\nhint: say that it is meant with --confirm HOSTNAME"},
		{"status --node web-9", "", "there is no node \"web-9\"\nhint: known: web-1"},
	} {
		d.expect(t, c.args, c.out, c.failed)
	}
}

// A version that does not prove itself is an error that says why.
func TestVersionIsNotKept(t *testing.T) {
	d := newDesk(t)
	d.machine((&agent{sick: map[string]string{"1.2.0": "container web is not ready"}}).serve(t, "web-1", d.authority))
	d.expect(t, "update --version 1.2.0", "web-1: staged 1.2.0", `node "web-1" is back on 1.0.0: 1.2.0 was not kept: container web is not ready`)
}

// Ctrl-C says what goes on without the person.
func TestInterruptedStaging(t *testing.T) {
	d := newDesk(t)
	a := &agent{staging: make(chan struct{})}
	d.machine(a.serve(t, "web-1", d.authority))
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	go func() { <-a.staging; interrupt() }()
	_, failed := d.stele(ctx, "update", "--version", "1.1.0")
	if want := "node \"web-1\": interrupted\nhint: the machine goes on staging"; !strings.HasPrefix(failed, want) {
		t.Errorf("got %s", failed)
	}
}

// Several machines: each line has its machine, one that does not answer costs the others nothing.
func TestSeveralMachines(t *testing.T) {
	d := newDesk(t)
	d.machine((&agent{}).serve(t, "web-1", d.authority))
	d.machine((&agent{running: "1.0.9"}).serve(t, "web-2", d.authority))
	d.expect(t, "logs web", "web-1  one web\nweb-2  one web", "")
	d.expect(t, "config get", "", "this command takes one machine, and 2 are selected")
	d.machine(contexts.Node{Name: "web-3", Address: "127.0.0.1:1", Fingerprint: "SHA256:a"})
	d.expect(t, "status", "web-2  running\nweb-3  unreachable", "cannot call node \"web-3\"\nhint: nothing listens there")
}

// Every way in which a machine and a person may not get together has its own words.
func TestStrangers(t *testing.T) {
	d := newDesk(t)
	machine := (&agent{}).serve(t, "web-1", d.authority)
	d.machine(machine)
	d.identity("late", time.Now().Add(-time.Hour))
	d.expect(t, "status --identity late", "", "cannot use identity \"late\": its certificate ended on\nhint: issue a new one: stele pki issue --name late")

	replaced := machine
	replaced.Name, replaced.Fingerprint = "replaced", "SHA256:another"
	d.machine(replaced)
	d.expect(t, "status --node replaced", "", "showed another key than the pinned one\nhint: the machine was reset or replaced")

	other, err := pki.Init(d.dir+"/other", "others", time.Hour, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	foreign := (&agent{}).serve(t, "foreign", other)
	d.machine(foreign)
	d.expect(t, "status --node foreign", "", "cannot call node \"foreign\"\nhint: the machine's document does not name the CA of this identity")
	d.expect(t, "status --identity nobody", "", "there is no identity \"nobody\"")
}
