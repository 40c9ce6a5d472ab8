package config

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stele-os/stele/agent/fault"
	"github.com/stele-os/stele/agent/plan"
	"github.com/stele-os/stele/agent/server"
	"github.com/stele-os/stele/agent/state"
)

// A document of the API takes the place of metadata's, at the next boots of the slot, too, until it is taken back.
func TestApply(t *testing.T) {
	inNode(t, fromMetadata, func(n *node) {
		n.expect("boot", state.DocumentApplied, "metadata", "test")
		result := n.apply(document("api"), 0)
		if want := []string{`hostname: "metadata" becomes "api"`}; !reflect.DeepEqual(result.Changes, want) || result.Digest != digest(document("api")) || !result.RevertAt.IsZero() {
			t.Errorf("%+v", result)
		}
		if d := n.expect("applied", state.DocumentApplied, "api", "API"); d.Digest != result.Digest || d.Warnings != nil {
			t.Errorf("%+v", d)
		}
		n.boot(noMetadata...)
		n.expect("next boot, no source", state.DocumentApplied, "api", "API")
		n.boot(fromMetadata...)
		if d := n.expect("next boot, same metadata", state.DocumentApplied, "api", "API"); d.Warnings != nil {
			t.Errorf("%q", d.Warnings)
		}
		n.boot(answer{userData: document("newer")})
		if d := n.expect("next boot, other metadata", state.DocumentApplied, "api", "API"); len(d.Warnings) != 1 || !strings.HasPrefix(d.Warnings[0], "test holds a new document (sha256:") {
			t.Errorf("%q", d.Warnings)
		}
		got, err := n.Revert(n.t.Context(), "CN=alice", server.RevertRequest{ToMetadata: true, MayChangeCAs: true})
		if err != nil || got != digest(document("newer")) {
			t.Errorf("%s, %v", got, err)
		}
		n.expect("back to metadata", state.DocumentApplied, "newer", "test")
		n.boot(noMetadata...)
		n.expect("next boot", state.DocumentWaiting, "stele", "")
		n.pass(61 * time.Second)
		n.expect("after a minute", state.DocumentLastGood, "newer", "test")
	})
}

func TestApplyRefuses(t *testing.T) {
	withEnv := func(value string) []byte {
		return []byte(head + "spec: {containers: [{name: a, image: b, env: [{name: A, value: " + value + "}]}]}\n")
	}
	for name, c := range map[string]struct {
		request server.DocumentRequest
		kind    fault.Kind
		message string
	}{
		"invalid":       {server.DocumentRequest{Document: invalid}, fault.Invalid, `spec.contaners: unknown field: did you mean "containers"? (line 3:21 of API)`},
		"two problems":  {server.DocumentRequest{Document: []byte(head + "spec: {hostname: A, time: {servers: [a b]}}")}, fault.Invalid, "(line 3:8 of API)\nspec.time.servers[0]"},
		"empty":         {server.DocumentRequest{Document: []byte(" \n")}, fault.Invalid, "is empty"},
		"masked":        {server.DocumentRequest{Document: withEnv("<masked>")}, fault.Invalid, "spec.containers[0].env[0].value: is the mask of a secret"},
		"other digest":  {server.DocumentRequest{Document: document("api"), IfDigest: digest(nil)}, fault.Aborted, "is in force, not " + digest(nil)},
		"spec.api":      {server.DocumentRequest{Document: []byte(head + "spec: {api: {clientCAs: " + testCA(t, true) + "}}")}, fault.Denied, "it changes spec.api"},
		"negative time": {server.DocumentRequest{Document: document("api"), TryFor: -time.Second}, fault.Invalid, "cannot try the document for -1s"},
		"short time":    {server.DocumentRequest{Document: document("api"), TryFor: time.Millisecond}, fault.Invalid, "give 1s to 24h0m0s"},
		"long time":     {server.DocumentRequest{Document: document("api"), TryFor: 25 * time.Hour}, fault.Invalid, "give 1s to 24h0m0s"},
	} {
		t.Run(name, func(t *testing.T) {
			inNode(t, fromMetadata, func(n *node) {
				for _, dry := range []bool{true, false} {
					c.request.DryRun = dry
					result, err := n.Apply(n.t.Context(), "CN=alice", c.request)
					n.fails(name, err, c.kind)
					if err != nil && !strings.Contains(err.Error(), c.message) {
						t.Errorf("%q does not contain %q", err, c.message)
					}
					if !reflect.DeepEqual(result, server.DocumentResult{}) {
						t.Errorf("a result: %+v", result)
					}
				}
				n.expect("afterwards", state.DocumentApplied, "metadata", "test")
				n.keeps(lastGoodFile)
			})
		})
	}
}

// keeps checks which records the slot has.
func (n *node) keeps(want ...string) {
	n.t.Helper()
	found, _ := filepath.Glob(filepath.Join(n.options.Store.Dir("b"), "*/*"))
	for i := range found {
		found[i], _ = filepath.Rel(n.options.Store.Dir("b"), found[i])
	}
	if !reflect.DeepEqual(found, want) {
		n.t.Errorf("kept: %q, want %q", found, want)
	}
}

func TestDryRunChangesNothing(t *testing.T) {
	inNode(t, fromMetadata, func(n *node) {
		request := server.DocumentRequest{Document: document("api"), DryRun: true, IfDigest: digest(document("metadata"))}
		result, err := n.Apply(n.t.Context(), "CN=alice", request)
		if err != nil || len(result.Changes) != 1 || result.Digest != digest(document("api")) {
			t.Errorf("%+v, %v", result, err)
		}
		n.expect("afterwards", state.DocumentApplied, "metadata", "test")
		n.keeps(lastGoodFile)
	})
}

func TestApplyNeedsAPlaceForTheRecord(t *testing.T) {
	inNode(t, fromMetadata, func(n *node) {
		if err := n.options.Store.Write("b", "schema", []byte("99\n")); err != nil {
			t.Fatal(err)
		}
		n.boot(fromMetadata...)
		if d := n.expect("a later version's state", state.DocumentApplied, "metadata", "test"); len(d.Errors) != 1 || !strings.Contains(d.Errors[0], "its schema is 99, this version knows 1") {
			t.Errorf("%q", d.Errors)
		}
		_, err := n.Apply(n.t.Context(), "CN=alice", server.DocumentRequest{Document: document("api")})
		n.fails("apply", err, fault.Precondition)
		n.expect("afterwards", state.DocumentApplied, "metadata", "test")
	})
}

func TestApplyBeforeVar(t *testing.T) {
	inNode(t, fromMetadata, func(n *node) {
		n.stop()
		n.machine = &state.Machine{}
		n.Manager = NewManager(n.machine, n.options)
		n.run()
		_, err := n.Apply(n.t.Context(), "CN=alice", server.DocumentRequest{Document: document("api")})
		n.fails("apply", err, fault.Unavailable)
		n.expect("afterwards", state.DocumentApplied, "metadata", "test")
		n.machine.Storage.Set(state.Storage{VarDevice: "/dev/vda6"})
		n.apply(document("api"), 0)
		n.expect("/var is there", state.DocumentApplied, "api", "API")
	})
}

// What could not be kept is said, and tried again.
func TestLastGoodIsTriedAgain(t *testing.T) {
	inNode(t, noMetadata, func(n *node) {
		obstacle := lastGoodFile + "/x"
		if err := n.options.Store.Write("b", obstacle, nil); err != nil {
			t.Fatal(err)
		}
		n.boot(fromMetadata...)
		if d := n.expect("in the way", state.DocumentApplied, "metadata", "test"); len(d.Errors) != 1 {
			t.Errorf("%q", d.Errors)
		}
		if err := n.options.Store.Remove("b", lastGoodFile); err != nil {
			t.Fatal(err)
		}
		n.apply(document("api"), 0)
		if d := n.expect("free", state.DocumentApplied, "api", "API"); d.Errors != nil {
			t.Errorf("%q", d.Errors)
		}
		n.keeps(apiFile, lastGoodFile)
	})
}

// A record that cannot be read, or that this version does not take, is said loudly; metadata's document is in force meanwhile.
func TestKeptDocumentOfTheAPIIsUnusable(t *testing.T) {
	for name, data := range map[string][]byte{
		"is torn":           encodeAPI(apiRecord{Document: document("api")})[:40],
		"contaners":         encodeAPI(apiRecord{Document: invalid}),
		"is not a document": encodeAPI(apiRecord{Document: []byte("<html>")}),
	} {
		inNode(t, fromMetadata, func(n *node) {
			if err := n.options.Store.Write("b", apiFile, data); err != nil {
				t.Fatal(err)
			}
			n.boot(fromMetadata...)
			if d := n.expect(name, state.DocumentInvalid, "metadata", "test"); len(d.Errors) != 1 || !strings.Contains(d.Errors[0], strings.TrimPrefix(name, "is not a document")) {
				t.Errorf("%s: %q", name, d.Errors)
			}
			n.apply(document("api"), 0)
			n.expect("repaired", state.DocumentApplied, "api", "API")
			if err := n.options.Store.Write("b", apiFile, data); err != nil {
				t.Fatal(err)
			}
			n.boot(fromMetadata...)
			if _, err := n.Revert(n.t.Context(), "CN=alice", server.RevertRequest{ToMetadata: true, MayChangeCAs: true}); err != nil {
				t.Fatal(err)
			}
			n.expect("dropped", state.DocumentApplied, "metadata", "test")
			n.keeps(lastGoodFile)
		})
	}
}

// What the platform says of the machine reaches a document of the API: at once from its record, and from metadata when that comes.
func TestAPIDocumentLearnsFacts(t *testing.T) {
	nameless := []byte(head)
	inNode(t, []answer{{userData: document("metadata"), platform: "vm-1"}}, func(n *node) {
		n.apply(nameless, 0)
		n.expect("applied", state.DocumentApplied, "vm-1", "API")
		n.boot(answer{err: errGone}, answer{from: 10 * time.Second, userData: document("metadata"), platform: "vm-2"})
		n.expect("next boot", state.DocumentApplied, "vm-1", "API")
		n.pass(20 * time.Second)
		n.expect("metadata has come", state.DocumentApplied, "vm-2", "API")
		if facts, _ := n.machine.Facts.Get(); facts.Hostname != "vm-2" {
			t.Errorf("%+v", facts)
		}
	})
}

func TestRevertNeedsSomethingToGoBackTo(t *testing.T) {
	inNode(t, noMetadata, func(n *node) {
		_, err := n.Revert(n.t.Context(), "CN=alice", server.RevertRequest{MayChangeCAs: true})
		n.fails("no trial", err, fault.Precondition)
		_, err = n.Revert(n.t.Context(), "CN=alice", server.RevertRequest{ToMetadata: true, MayChangeCAs: true})
		n.fails("no document of the API", err, fault.Precondition)
		n.apply(document("api"), 0)
		_, err = n.Revert(n.t.Context(), "CN=alice", server.RevertRequest{ToMetadata: true, MayChangeCAs: true})
		n.fails("no metadata", err, fault.Precondition)
		n.expect("afterwards", state.DocumentApplied, "api", "API")
		n.keeps(apiFile)
	})
}

// TestRevertOfTheAPI: an operator must not bring back whom an admin has locked out.
func TestRevertOfTheAPI(t *testing.T) {
	other := []byte(head + "spec: {hostname: other, api: {clientCAs: " + testCA(t, true) + "}}")
	for name, tryFor := range map[string]time.Duration{"for good": 0, "on trial": time.Minute} {
		t.Run(name, func(t *testing.T) {
			inNode(t, fromMetadata, func(n *node) {
				n.apply(other, tryFor)
				q := server.RevertRequest{ToMetadata: tryFor == 0}
				_, err := n.Revert(n.t.Context(), "CN=bob", q)
				n.fails("an operator", err, fault.Denied)
				n.expect("afterwards", state.DocumentApplied, "other", "API")
				q.MayChangeCAs = true
				if _, err := n.Revert(n.t.Context(), "CN=alice", q); err != nil {
					t.Error(err)
				}
				n.expect("reverted by an admin", state.DocumentApplied, "metadata", "test")
				n.apply(document("same-api"), tryFor)
				if _, err := n.Revert(n.t.Context(), "CN=bob", server.RevertRequest{ToMetadata: tryFor == 0}); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func TestRevertToTheLastGood(t *testing.T) {
	inNode(t, fromMetadata, func(n *node) {
		n.apply(document("api"), 0)
		n.boot(answer{userData: invalid})
		n.expect("next boot", state.DocumentApplied, "api", "API")
		if _, err := n.Revert(n.t.Context(), "CN=alice", server.RevertRequest{ToMetadata: true, MayChangeCAs: true}); err != nil {
			t.Fatal(err)
		}
		n.expect("metadata is invalid by now", state.DocumentInvalid, "metadata", "test")
		n.keeps(lastGoodFile)
	})
}

// Who goes back while no source answers need not wait for one.
func TestRevertWithoutASource(t *testing.T) {
	inNode(t, fromMetadata, func(n *node) {
		n.apply(document("api"), 0)
		n.boot(noMetadata...)
		if _, err := n.Revert(n.t.Context(), "CN=alice", server.RevertRequest{ToMetadata: true, MayChangeCAs: true}); err != nil {
			t.Fatal(err)
		}
		n.expect("at once", state.DocumentLastGood, "metadata", "test")
	})
}

func TestAPIDocumentInMemory(t *testing.T) {
	inNode(t, fromMetadata, func(n *node) {
		n.stop()
		n.machine = &state.Machine{}
		n.Manager = NewManager(n.machine, n.options)
		n.machine.Storage.Set(state.Storage{})
		n.run()
		n.apply(document("api"), 0)
		if d := n.expect("applied", state.DocumentApplied, "api", "API"); len(d.Warnings) != 1 || !strings.Contains(d.Warnings[0], "/var is in memory") {
			t.Errorf("%q", d.Warnings)
		}
	})
}

func TestGet(t *testing.T) {
	const secret = "hunter2"
	text := head + "# the old password was " + secret + "\nspec:\n  containers:\n  - name: web\n    image: web:1\n    env:\n    - {name: PASSWORD, value: " + secret + "}\n    - {name: EMPTY}\n    - name: LONG\n      value: |\n        a\n        " + secret + "\n"
	inNode(t, []answer{{platform: "vm-1"}}, func(n *node) {
		if view, err := n.Get(false); err != nil || view.Document != "" || !strings.Contains(view.Effective, "hostname: vm-1") || view.Source != "test" {
			t.Errorf("no user document: %+v, %v", view, err)
		}
		n.apply([]byte(text), 0)
		open, err := n.Get(true)
		if err != nil || open.Document != text || !strings.Contains(open.Effective, secret) || open.Source != "API" || open.Digest != digest([]byte(text)) {
			t.Errorf("%+v, %v", open, err)
		}
		closed, err := n.Get(false)
		if err != nil || strings.Contains(closed.Document+closed.Effective, secret) || strings.Count(closed.Document, mask) != 2 || closed.Digest != open.Digest {
			t.Errorf("%+v, %v", closed, err)
		}
		for name, document := range map[string]string{"open": open.Effective, "masked": closed.Effective, "masked document": closed.Document} {
			if _, problems := Evaluate(Input{User: []byte(document), UserSource: name}, plan.Facts{}); problems != nil {
				t.Errorf("%s\n%s", lines(problems), document)
			}
		}
		problems, _ := n.Check([]byte(closed.Document))
		if len(problems) != 2 {
			t.Errorf("a masked document may be applied: %q", problems)
		}
	})
}

func TestGetBeforeAnything(t *testing.T) {
	inNode(t, noMetadata, func(n *node) {
		_, err := n.Get(true)
		n.fails("get", err, fault.Precondition)
	})
}

func TestCheck(t *testing.T) {
	inNode(t, fromMetadata, func(n *node) {
		if problems, changes := n.Check(document("metadata")); problems != nil || changes != nil {
			t.Errorf("%q, %q", problems, changes)
		}
		if problems, changes := n.Check(document("other")); problems != nil || len(changes) != 1 {
			t.Errorf("%q, %q", problems, changes)
		}
		flood := []byte(head + strings.Repeat("x: 1\n", 1000))
		if problems, changes := n.Check(flood); len(problems) != maxSentences+1 || changes != nil {
			t.Errorf("%d problems, %q", len(problems), changes)
		}
	})
}

// Whoever calls, and whenever: one document is in force at the end, and it is the one that is kept.
func TestConcurrentCalls(t *testing.T) {
	inNode(t, fromMetadata, func(n *node) {
		var callers sync.WaitGroup
		for i := range 8 {
			callers.Go(func() {
				name := string(rune('a' + i))
				for range 5 {
					tryFor := time.Duration(i%2) * time.Minute
					_, _ = n.Apply(n.t.Context(), name, server.DocumentRequest{Document: document(name), TryFor: tryFor})
					_, _ = n.Get(false)
					_, _ = n.Check(document(name))
					_ = n.Confirm(n.t.Context(), name, digest(document(name)))
					_, _ = n.Revert(n.t.Context(), name, server.RevertRequest{ToMetadata: i == 7, MayChangeCAs: true})
				}
			})
		}
		callers.Wait()
		n.pass(2 * time.Minute)
		before, _ := n.machine.Desired.Get()
		n.boot(fromMetadata...)
		if after, _ := n.machine.Desired.Get(); after.Hostname != before.Hostname {
			t.Errorf("%q is in force, %q was kept", before.Hostname, after.Hostname)
		}
	})
}

// A document as YAML means the same when it is read again.
func TestEncodedDocumentsReadTheSame(t *testing.T) {
	files, _ := filepath.Glob("../../docs/examples/*.yaml")
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil || !bytes.Contains(data, []byte("kind: Machine")) {
			continue
		}
		doc, problems := Decode(data, file)
		if problems != nil {
			t.Fatal(lines(problems))
		}
		text, err := encodeYAML(doc.Machine)
		if err != nil {
			t.Fatal(err)
		}
		again, problems := Decode([]byte(text), "again")
		if problems != nil || !reflect.DeepEqual(again.Machine, doc.Machine) {
			t.Errorf("%s: %s\n%s", file, lines(problems), text)
		}
	}
}
