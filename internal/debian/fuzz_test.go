package debian

import (
	"archive/tar"
	"bytes"
	"io"
	"strings"
	"testing"
)

func FuzzReadStanzas(f *testing.F) {
	f.Add(packages)
	f.Fuzz(func(t *testing.T, text string) {
		_ = ReadStanzas(strings.NewReader(text), func(s Stanza) error {
			if len(s) == 0 {
				t.Error("an empty stanza")
			}
			_, _ = packageOf(s)
			return nil
		})
	})
}

func FuzzParseRelease(f *testing.F) {
	f.Add(releaseText("Valid-Until: Fri, 20 Nov 2026 00:00:00 UTC\n", packages))
	f.Fuzz(func(t *testing.T, text string) {
		release, err := ParseRelease(strings.NewReader(text))
		if err != nil {
			return
		}
		for path, file := range release.files {
			if file.SizeBytes < 0 || !isSHA256(file.SHA256) {
				t.Errorf("%q: %+v", path, file)
			}
		}
	})
}

func FuzzParseSources(f *testing.F) {
	f.Add("deb [arch=amd64] http://example.com/debian trixie main\n")
	f.Add("Types: deb\nURIs: http://example.com\nSuites: trixie\nComponents: main\n")
	f.Fuzz(func(t *testing.T, text string) {
		list, _ := ParseList(strings.NewReader(text))
		for _, s := range list {
			if len(s.URIs) != 1 || len(s.Suites) != 1 || len(s.Components) == 0 {
				t.Errorf("%+v", s)
			}
		}
		_, _ = ParseDeb822(strings.NewReader(text))
	})
}

// The seeds are compressed, and so small: Go's fuzzer shortens what it finds in quadratic time, and a plain archive is kilobytes of zeroes.
func FuzzWalkDeb(f *testing.F) {
	for _, suffix := range []string{".gz", ".xz", ".zst"} {
		f.Add(deb(f, suffix))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		const limit = 64 << 10
		_ = walkDeb(bytes.NewReader(content), limit, func(name string, _ *tar.Header, r io.Reader) error {
			if !strings.HasPrefix(name, "/") {
				t.Errorf("name %q", name)
			}
			_, err := io.Copy(io.Discard, io.LimitReader(r, limit)) // a sparse file may be longer than the archive
			return err
		})
	})
}

func FuzzCompareVersions(f *testing.F) {
	f.Add("1:2.0~rc1-1", "2.0-1+deb13u1")
	f.Fuzz(func(t *testing.T, a, b string) {
		ab, ba := CompareVersions(a, b), CompareVersions(b, a)
		if (ab < 0) != (ba > 0) || (ab == 0) != (ba == 0) {
			t.Errorf("CompareVersions(%q, %q) = %d, reversed %d", a, b, ab, ba)
		}
	})
}
