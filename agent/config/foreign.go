package config

import (
	"bytes"
	"regexp"
)

// formats are what other systems put into user-data, told by how the bytes begin. Order matters: the first match wins.
var formats = []struct {
	what    string
	pattern *regexp.Regexp
}{
	{"a cloud-init document (#cloud-config)", regexp.MustCompile(`^\s*#cloud-config`)},
	{"a cloud-init directive", regexp.MustCompile(`^\s*(#cloud-boothook|#include|#part-handler|## template:)`)},
	{"a shell script", regexp.MustCompile(`^\s*#!`)},
	{"a MIME multi-part document of cloud-init", regexp.MustCompile(`(?i)^\s*(content-type:|mime-version:)`)},
	{"a web page, perhaps of a proxy or a login portal", regexp.MustCompile(`(?i)^\s*<(!doctype|html)`)},
	{"an XML document", regexp.MustCompile(`^\s*<`)},
	{"an Ignition document", regexp.MustCompile(`^\s*\{\s*"ignition"\s*:`)},
	{"a Butane document", regexp.MustCompile(`(?m)\A(\s*#.*\n|\s*\n)*variant:`)},
	{"a Talos machine configuration", regexp.MustCompile(`(?m)\A(\s*#.*\n|\s*\n|---\n)*version: v1alpha1\s*$`)},
	{"a TOML document", regexp.MustCompile(`^\s*\[[a-zA-Z][\w.-]*\]\s*\n`)},
}

// foreign names the format that data seems to be in, if it is a well-known one that is not ours.
func foreign(data []byte) string {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if bytes.HasPrefix(data, []byte("\x1f\x8b")) { // RFC 1952 section 2.3.1
		return "gzip-compressed data"
	}
	for _, format := range formats {
		if format.pattern.Match(data[:min(len(data), 4096)]) {
			return format.what
		}
	}
	return ""
}
