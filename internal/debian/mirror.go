package debian

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/stele-os/stele/internal/hint"
)

// releases are names under which an archive is Debian's main one; a security archive only has "<release>-security".
var releases = []string{"bullseye", "bookworm", "trixie", "forky", "sid", "oldstable", "stable", "testing", "unstable"}

// Mirror returns the address of a Debian mirror: override (the user's DEBIAN_MIRROR) if given, else the first enabled
// source of the machine's apt configuration that carries a Debian release's component main. No address is built in.
func Mirror(root fs.FS, override string) (string, error) {
	if override != "" {
		return strings.TrimRight(override, "/"), nil
	}
	sources, err := aptSources(root)
	if err != nil {
		return "", err
	}
	for _, s := range sources {
		if !slices.Contains(s.Components, "main") || !carriesRelease(s) {
			continue
		}
		for _, uri := range s.URIs {
			if address, ok := httpAddress(root, uri); ok {
				return address, nil
			}
		}
	}
	err = errors.New("cannot find a Debian mirror in the machine's apt configuration")
	return "", hint.New(err, "set DEBIAN_MIRROR to a mirror's address, such as DEBIAN_MIRROR=http://mirror.example.com/debian")
}

func carriesRelease(s Source) bool {
	return slices.ContainsFunc(s.Suites, func(suite string) bool { return slices.Contains(releases, suite) })
}

// httpAddress resolves apt's mirror+file:/path lists, which Debian's cloud images use, to their first http address.
func httpAddress(root fs.FS, uri string) (string, bool) {
	if isHTTP(uri) {
		return strings.TrimRight(uri, "/"), true
	}
	list, ok := strings.CutPrefix(uri, "mirror+file:")
	if !ok {
		return "", false
	}
	file, err := root.Open(strings.TrimPrefix(path.Clean(list), "/"))
	if err != nil {
		return "", false
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if fields := strings.Fields(lines.Text()); len(fields) > 0 && isHTTP(fields[0]) {
			return strings.TrimRight(fields[0], "/"), true
		}
	}
	return "", false
}

func isHTTP(uri string) bool {
	return strings.HasPrefix(uri, "http://") || strings.HasPrefix(uri, "https://")
}

// aptSources reads /etc/apt/sources.list and sources.list.d in apt's order.
func aptSources(root fs.FS) ([]Source, error) {
	names := []string{"etc/apt/sources.list"}
	entries, err := fs.ReadDir(root, "etc/apt/sources.list.d")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("cannot list apt sources: %w", err)
	}
	for _, entry := range entries {
		names = append(names, "etc/apt/sources.list.d/"+entry.Name())
	}
	var sources []Source
	for _, name := range names {
		parse, ok := map[string]func(io.Reader) ([]Source, error){".list": ParseList, ".sources": ParseDeb822}[path.Ext(name)]
		if !ok {
			continue
		}
		file, err := root.Open(name)
		if err != nil {
			continue // absent, or not ours to read: apt's business
		}
		found, err := parse(file)
		file.Close()
		if err != nil {
			return nil, fmt.Errorf("cannot read apt sources %q: %w", "/"+name, err)
		}
		sources = append(sources, found...)
	}
	return sources, nil
}
