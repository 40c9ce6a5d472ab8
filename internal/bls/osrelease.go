package bls

import (
	"bufio"
	"bytes"
	"strings"
)

// OSReleaseValue returns a variable of an os-release file (os-release(5)) in which nothing is escaped, such as a version; "" where it is missing.
func OSReleaseValue(content []byte, key string) string {
	lines := bufio.NewScanner(bytes.NewReader(content))
	for lines.Scan() {
		if value, ok := strings.CutPrefix(lines.Text(), key+"="); ok {
			return strings.Trim(value, `"'`)
		}
	}
	return ""
}

// EntryOf is the entry that the loader makes of a file and of the .osrel section in it; false when it makes none, because the section has
// nothing to show (bootspec_pick_name_version_sort_key).
func EntryOf(file string, osrelease []byte) (Entry, bool) {
	v := map[string]string{}
	for line := range strings.Lines(untilNUL(osrelease)) {
		key, value, ok := strings.Cut(strings.Trim(line, " \t\r\n"), "=")
		if ok && !strings.HasPrefix(key, "#") {
			v[key] = unquote(strings.TrimLeft(value, "="))
		}
	}
	first := func(keys ...string) string {
		for _, k := range keys {
			if s, ok := v[k]; ok {
				return s
			}
		}
		return ""
	}
	e := Entry{File: file, SortKey: first("IMAGE_ID", "ID"), Version: first("IMAGE_VERSION", "VERSION", "VERSION_ID", "BUILD_ID")}
	for _, k := range []string{"PRETTY_NAME", "IMAGE_ID", "NAME", "ID"} {
		if _, ok := v[k]; ok {
			return e, Listed(file)
		}
	}
	return Entry{}, false
}

// untilNUL: the loader reads the section as a C string; sections are padded with zeros.
func untilNUL(b []byte) string {
	s, _, _ := strings.Cut(string(b), "\x00")
	return s
}

func unquote(s string) string {
	if len(s) >= 2 && (s[0] == '"' || s[0] == '\'') && s[len(s)-1] == s[0] {
		return s[1 : len(s)-1]
	}
	return s
}
