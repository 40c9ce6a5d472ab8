package config

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stele-os/stele/agent/metadata"
	"github.com/stele-os/stele/agent/plan"
)

func lines(problems []Problem) string {
	var all []string
	for _, p := range problems {
		all = append(all, p.String())
	}
	return strings.Join(all, "\n")
}

func TestDecode(t *testing.T) {
	const expect = `expected a Stele document, which begins with "apiVersion: stele/v1alpha1" and "kind: Machine"`
	for name, c := range map[string]struct{ in, want string }{
		"nothing":          {"", ""},
		"blank":            {" \n\n", ""},
		"comments":         {"# to be written\n", ""},
		"smallest":         {head, ""},
		"JSON":             {`{"apiVersion": "stele/v1alpha1", "kind": "Machine", "spec": {"hostname": "a"}}`, ""},
		"JSON with tabs":   {"{\n\t\"apiVersion\": \"stele/v1alpha1\",\n\t\"kind\": \"Machine\"\n}", ""},
		"unknown fields":   {head + "spec:\n  hostnam: a\n  conatiners: []\n", "f:4:3: spec.hostnam: unknown field: did you mean \"hostname\"?\nf:5:3: spec.conatiners: unknown field: did you mean \"containers\"?"},
		"wrong type":       {head + "spec:\n  containers:\n  - name: web\n    ports: [{containerPort: \"80\"}]\n", "f:6:29: spec.containers[0].ports[0].containerPort: expected a whole number, found a string"},
		"second document":  {head + "---\n" + head, `f:4:1: a second document begins here: write one document, without a further "---"`},
		"alias bomb":       {head + "spec: &a [*a, *a]", "f:3:7: anchors and aliases are not supported: write the value out"},
		"no header":        {"hostname: a", "f:1:1: apiVersion and kind are missing: " + expect},
		"empty mapping":    {"{}", "f:1:1: apiVersion and kind are missing: " + expect},
		"other version":    {"apiVersion: stele/v2\nkind: Machine\nspec: {new: 1}", `f:1:1: apiVersion: this agent reads "stele/v1alpha1", found "stele/v2"`},
		"Kubernetes":       {"apiVersion: v1\nkind: Pod\nmetadata: {name: a}", `f:1:1: apiVersion: this agent reads "stele/v1alpha1", found "v1"`},
		"other kind":       {"apiVersion: stele/v1alpha1\nkind: Image\n", `f:2:1: kind: this agent reads "Machine", found "Image"`},
		"kind missing":     {"apiVersion: stele/v1alpha1\n", `f:1:1: kind: this agent reads "Machine", found ""`},
		"plain text":       {"hello", "f:1:1: expected fields, found a string"},
		"cloud-config":     {"#cloud-config\nusers: []", "f:1:1: looks like a cloud-init document (#cloud-config): " + expect},
		"boothook":         {"#cloud-boothook\n", "f:1:1: looks like a cloud-init directive: " + expect},
		"script":           {"#!/bin/sh\necho", "f:1:1: looks like a shell script: " + expect},
		"MIME":             {"Content-Type: multipart/mixed\n", "f:1:1: looks like a MIME multi-part document of cloud-init: " + expect},
		"gzip":             {"\x1f\x8b\x08\x00", "f:1:1: looks like gzip-compressed data: " + expect},
		"HTML":             {"<!DOCTYPE html><html>", "f:1:1: looks like a web page, perhaps of a proxy or a login portal: " + expect},
		"XML":              {"<?xml version=\"1.0\"?>", "f:1:1: looks like an XML document: " + expect},
		"Ignition":         {`{"ignition": {"version": "3.4.0"}}`, "f:1:1: looks like an Ignition document: " + expect},
		"Butane":           {"# x\nvariant: fcos\n", "f:1:1: looks like a Butane document: " + expect},
		"Talos":            {"version: v1alpha1\nmachine: {}", "f:1:1: looks like a Talos machine configuration: " + expect},
		"TOML":             {"[settings]\na = 1\n", "f:1:1: looks like a TOML document: " + expect},
		"too large":        {"#" + strings.Repeat("x", metadata.MaxDocumentBytes), "f:1:1: the document has 1048577 bytes, the limit is 1048576: shorten it, or put large files into an image"},
		"field, no value":  {head + "spec:\n", "f:3:7: spec: has no value: remove it, or write {}"},
		"sysctl as number": {head + "spec: {sysctls: {net.core.somaxconn: 4096}}", ""},
	} {
		t.Run(name, func(t *testing.T) {
			doc, problems := Decode([]byte(c.in), "f")
			if got := lines(problems); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
			if problems == nil && doc.Machine.Kind != "Machine" {
				t.Errorf("got %+v", doc.Machine)
			}
		})
	}
}

// Whatever Evaluate lets through, plan can plan, encodes to a document that means the same, and merges with itself to itself.
func FuzzEvaluate(f *testing.F) {
	f.Add([]byte(head + "spec:\n  containers:\n  - {name: web, image: nginx, ports: [{containerPort: 80}]}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		doc, problems := Decode(data, "fuzz")
		if problems != nil {
			return
		}
		encoded, err := json.Marshal(doc.Machine)
		if err != nil {
			t.Fatal(err)
		}
		again, problems := Decode(encoded, "again")
		if problems != nil {
			t.Fatalf("%s: %s", encoded, lines(problems))
		}
		if second, _ := json.Marshal(again.Machine); string(second) != string(encoded) {
			t.Errorf("%s became %s", encoded, second)
		}
		if Validate(doc.Machine, plan.Facts{}) != nil {
			return
		}
		twice := Merge([]Layer{{Name: "image", Document: doc}, {Name: "user", Document: doc}})
		if merged, _ := json.Marshal(twice.Machine); string(merged) != string(encoded) {
			t.Errorf("%s merged with itself became %s", encoded, merged)
		}
		if _, err := plan.Plan(doc.Machine, plan.Facts{}); err != nil {
			t.Errorf("%s: %v", encoded, err)
		}
	})
}

// Environment variables hold passwords: no problem of a document that has one prints it.
func TestProblemsKeepSecrets(t *testing.T) {
	const secret = "hunter2"
	for _, env := range []string{
		`[{name: "A B", value: ` + secret + `}]`, `{PASSWORD: ` + secret + `}`, `[PASSWORD=` + secret + `]`, `[{name: A, valu: ` + secret + `}]`,
		`[{name: A, value: "` + secret + `\0"}]`, `[{name: A, value: [` + secret + `]}]`, `[{name: A, value: ` + secret + `}, {name: A, value: ` + secret + `}]`,
		`[{name: A, value: "` + secret, secret,
	} {
		_, problems := Evaluate(Input{User: []byte(head + "spec:\n  containers:\n  - name: web\n    image: web\n    env: " + env + "\n"), UserSource: "f"}, plan.Facts{})
		if problems == nil {
			t.Errorf("%s: no problem", env)
		}
		if got := lines(problems); strings.Contains(got, secret) {
			t.Error(got)
		}
	}
}

// A hostile document cannot flood the console.
func TestSentencesAreBounded(t *testing.T) {
	_, problems := Decode([]byte(head+strings.Repeat("x: 1\n", 1000)), "f")
	got := sentences(problems)
	if len(got) != maxSentences+1 || got[maxSentences] != "and 950 more problems: `stele config check` shows them all" {
		t.Errorf("%d sentences, the last is %q", len(got), got[len(got)-1])
	}
	long := Problem{Source: "f", Message: "a" + strings.Repeat("ü", 10_000)}.Sentence()
	if len(long) > maxSentenceBytes+20 || !strings.HasSuffix(long, "ü... (in f)") {
		t.Errorf("%d bytes: %s", len(long), long)
	}
}
