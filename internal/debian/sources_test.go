package debian

import (
	"errors"
	"testing"
	"testing/fstest"
)

func TestMirror(t *testing.T) {
	for _, c := range []struct {
		name, override string
		files          map[string]string
		want           string
	}{
		{"override wins", "http://own.example.com/debian/", map[string]string{"sources.list": "deb http://a.example.com/debian bookworm main"}, "http://own.example.com/debian"},
		{"one-line", "", map[string]string{"sources.list": "# deb http://no.example.com/ trixie main\ndeb [arch=amd64 signed-by=/k] https://a.example.com/debian/ bookworm main contrib # x"}, "https://a.example.com/debian"},
		{"deb822", "", map[string]string{"sources.list.d/debian.sources": "Types: deb deb-src\nURIs: http://b.example.com/debian\nSuites: bookworm bookworm-updates\nComponents: main\n"}, "http://b.example.com/debian"},
		{"security and foreign archives are passed over", "", map[string]string{
			"sources.list":                  "deb http://s.example.com/debian-security bookworm-security main\ndeb http://f.example.com/apt cloud main\ndeb cdrom:[Debian]/ bookworm main",
			"sources.list.d/debian.sources": "Enabled: no\nTypes: deb\nURIs: http://off.example.com/debian\nSuites: trixie\nComponents: main\n\nTypes: deb\nURIs: http://c.example.com/debian\nSuites: trixie\nComponents: main\n",
		}, "http://c.example.com/debian"},
		{"mirror list of cloud images", "", map[string]string{
			"sources.list.d/debian.sources": "Types: deb\nURIs: mirror+file:///etc/apt/mirrors/debian.list\nSuites: trixie\nComponents: main\n",
			"mirrors/debian.list":           "\nhttp://d.example.com/debian priority:1\n",
		}, "http://d.example.com/debian"},
		{"disabled files are not read", "", map[string]string{"sources.list.d/x.list.disabled": "deb http://a.example.com/debian trixie main"}, ""},
		{"nothing", "", nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			root := fstest.MapFS{}
			for name, content := range c.files {
				root["etc/apt/"+name] = &fstest.MapFile{Data: []byte(content)}
			}
			got, err := Mirror(root, c.override)
			if got != c.want || (err == nil) != (c.want != "") {
				t.Errorf("got %q, %v; want %q", got, err, c.want)
			}
			var hinted interface{ Hint() string }
			if err != nil && !errors.As(err, &hinted) {
				t.Errorf("%v has no hint", err)
			}
		})
	}
}

func TestKeyringMissingNamesThePackage(t *testing.T) {
	_, err := Keyring(fstest.MapFS{})
	var hinted interface{ Hint() string }
	if !errors.As(err, &hinted) || hinted.Hint() != "install the package debian-archive-keyring" {
		t.Errorf("got %v", err)
	}
}

func TestCompareVersions(t *testing.T) {
	ascending := []string{"0~", "0", "1.0~rc1", "1.0", "1.0-1~deb13u1", "1.0-1", "1.0-1+b1", "1.0+dfsg-1", "1.0.1", "6.12.94-1", "6.12.107-1", "1:0.1", "2:0"}
	for i, a := range ascending {
		for j, b := range ascending {
			if got := CompareVersions(a, b); (got < 0) != (i < j) || (got > 0) != (i > j) {
				t.Errorf("CompareVersions(%q, %q) = %d", a, b, got)
			}
		}
	}
}
