package config

import (
	"bytes"
	"regexp"

	"github.com/stele-os/stele/internal/pattern"
)

// formats are what other systems put into user-data, told by how the bytes begin. Order matters: the first match wins.
var formats = []struct {
	what    string
	pattern func() *regexp.Regexp
}{
	{"a cloud-init document (#cloud-config)", pattern.New(`^\s*#cloud-config`)},
	{"a cloud-init directive", pattern.New(`^\s*(#cloud-boothook|#include|#part-handler|## template:)`)},
	{"a shell script", pattern.New(`^\s*#!`)},
	{"a MIME multi-part document of cloud-init", pattern.New(`(?i)^\s*(content-type:|mime-version:)`)},
	{"a web page, perhaps of a proxy or a login portal", pattern.New(`(?i)^\s*<(!doctype|html)`)},
	{"an XML document", pattern.New(`^\s*<`)},
	{"an Ignition document", pattern.New(`^\s*\{\s*"ignition"\s*:`)},
	{"a Butane document", pattern.New(`(?m)\A(\s*#.*\n|\s*\n)*variant:`)},
	{"a Talos machine configuration", pattern.New(`(?m)\A(\s*#.*\n|\s*\n|---\n)*version: v1alpha1\s*$`)},
	{"a TOML document", pattern.New(`^\s*\[[a-zA-Z][\w.-]*\]\s*\n`)},
}

// foreign names the format that data seems to be in, if it is a well-known one that is not ours.
func foreign(data []byte) string {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if bytes.HasPrefix(data, []byte("\x1f\x8b")) { // RFC 1952 section 2.3.1
		return "gzip-compressed data"
	}
	for _, format := range formats {
		if format.pattern().Match(data[:min(len(data), 4096)]) {
			return format.what
		}
	}
	return ""
}
