package rules

import (
	"path"
	"regexp"
	"strings"
	"testing"
)

// words are put together here so that this file does not hold them.
func words(parts ...string) string { return strings.Join(parts, "") }

// Where packages come from is the machine's setting (apt's configuration, GOPROXY), not the repository's: a build must work behind any mirror.
var registryHosts = []string{
	words("deb.", "debian.org"), words("security.", "debian.org"), words("snapshot.", "debian.org"), words("ftp.", "debian.org"),
	words("archive.", "ubuntu.com"), words("proxy.", "golang.org"), words("sum.", "golang.org"), words("goproxy.", "io"),
	words("registry.", "npmjs.org"), words("py", "pi.org"), words("crates", ".io"),
}

func TestNoRegistryHosts(t *testing.T) {
	for name, text := range textFiles() {
		for _, host := range registryHosts {
			if strings.Contains(text, host) {
				t.Errorf("%s names the registry %q: read the address from the machine's configuration", name, host)
			}
		}
	}
}

// machinePaths are places on the machines where this was written: whoever else runs it does not have them.
var machinePaths = regexp.MustCompile(words(`/wo`, `rk/(main|wt|shared|repo)\b|/tmp/`, `prep\b|/root/`, `go/`))

func TestNoMachinePaths(t *testing.T) {
	for name, text := range textFiles() {
		if found := machinePaths.FindString(text); found != "" {
			t.Errorf("%s names the path %q of one machine", name, found)
		}
	}
}

var unfinished = regexp.MustCompile(words(`\b(TO`, `DO|FIX`, `ME|XX`, `X)\b`))

func TestNothingUnfinished(t *testing.T) {
	for _, file := range sources() {
		for _, group := range file.Comments {
			if found := unfinished.FindString(group.Text()); found != "" {
				t.Errorf("%s has a comment with %s: do it, or file an issue", file.path, found)
			}
		}
	}
}

var testName = regexp.MustCompile(`\b(Test|Fuzz)[A-Z]\w*`)

// A comment or page that claims a rule names the test that holds it; the test must exist.
func TestNamedTestsExist(t *testing.T) {
	defined := map[string]bool{}
	for _, file := range sources() {
		for name := range strings.SplitSeq(textFiles()[file.path], "\n") {
			if rest, ok := strings.CutPrefix(name, "func "); ok && file.isTest() {
				defined[testName.FindString(rest)] = true
			}
		}
	}
	check := func(where, text string) {
		for _, name := range testName.FindAllString(text, -1) {
			if !defined[name] {
				t.Errorf("%s names %s, which does not exist", where, name)
			}
		}
	}
	for _, file := range sources() {
		for _, group := range file.Comments {
			check(file.path, group.Text())
		}
	}
	for name, text := range textFiles() {
		if path.Ext(name) == ".md" {
			check(name, text)
		}
	}
}
