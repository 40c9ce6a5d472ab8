package network

import (
	"bytes"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// maxNameservers is MAXNS of resolv.conf(5): resolvers read no more.
const maxNameservers = 3

func sortAddrs(list []netip.Addr) {
	slices.SortFunc(list, netip.Addr.Compare)
}

// resolvConf is the content of resolv.conf(5).
func resolvConf(servers []netip.Addr, search []string) []byte {
	var b bytes.Buffer
	b.WriteString("# written by the agent; changes are lost\n")
	for _, s := range servers[:min(len(servers), maxNameservers)] {
		fmt.Fprintf(&b, "nameserver %s\n", s)
	}
	if len(search) > 0 {
		fmt.Fprintf(&b, "search %s\n", strings.Join(search, " "))
	}
	return b.Bytes()
}

// hosts is the content of hosts(5).
func hosts(hostname string) []byte {
	var b bytes.Buffer
	b.WriteString("127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n")
	if name := domain(hostname); name != "" && name != "localhost" {
		short, _, dotted := strings.Cut(name, ".")
		if dotted {
			name += " " + short
		}
		fmt.Fprintf(&b, "127.0.1.1 %s\n", name)
	}
	return b.Bytes()
}

// writeFile replaces path atomically, unless it has this content already. It lies on a tmpfs, so nothing is synced.
func writeFile(path string, content []byte) error {
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, content) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("cannot write %q: %w", path, err)
	}
	next := path + ".next"
	if err := os.WriteFile(next, content, 0o644); err != nil {
		return fmt.Errorf("cannot write %q: %w", path, err)
	}
	if err := os.Rename(next, path); err != nil {
		return fmt.Errorf("cannot write %q: %w", path, err)
	}
	return nil
}
