package tree

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stele-os/stele/api/v1alpha1"
	"github.com/stele-os/stele/internal/golden"
)

var buildTime = time.Unix(1_700_000_000, 0)

func testBase(t *testing.T) *Tree {
	t.Helper()
	dir := t.TempDir()
	file := func(name, content string) string {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return p
	}
	tree, err := NewBase(Base{
		Info:  v1alpha1.ImageInfo{Name: "base", Version: "1.2.3", Architecture: "x86_64", BuildTime: buildTime.Unix()},
		Agent: file("agent", strings.Repeat("agent", 5000)), Runc: file("runc", strings.Repeat("runc", 2000)),
		CACertificates: file("ca", "certificates"), VarTemplate: file("var", "template"),
		Document: []byte("apiVersion: stele/v1alpha1\nkind: Machine\n"),
	})
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func TestBaseListing(t *testing.T) {
	golden.Compare(t, "../../rootfs/base.listing", testBase(t).Listing())
}

// TestBaseIsHarmless looks at the finished tree, whatever rules Add holds.
func TestBaseIsHarmless(t *testing.T) {
	programs := []string{"sh", "bash", "dash", "ash", "busybox", "python", "python3", "perl", "ruby", "lua", "node", "awk", "ssh", "sshd", "apt", "dpkg"}
	var executable []string
	for _, e := range testBase(t).Entries() {
		for _, name := range programs {
			if path.Base(e.Path) == name {
				t.Errorf("%s is on the root", e.Path)
			}
		}
		if e.Mode&(fs.ModeSetuid|fs.ModeSetgid) != 0 || e.UID != 0 || e.GID != 0 {
			t.Errorf("%s has mode %v and owner %d:%d", e.Path, e.Mode, e.UID, e.GID)
		}
		if e.Mode.Type() != fs.ModeSymlink && e.Mode.Perm()&0o222 != 0 {
			t.Errorf("%s is writable", e.Path)
		}
		if e.Mode.IsRegular() && e.Mode.Perm()&0o111 != 0 {
			executable = append(executable, e.Path)
		}
	}
	if got, want := strings.Join(executable, " "), v1alpha1.AgentPath+" "+v1alpha1.RuncPath; got != want {
		t.Errorf("executables are %s, not %s", got, want)
	}
}

func TestAddRefuses(t *testing.T) {
	shell := Bytes("/bin/sh", nil)
	shell.Mode = 0o555
	setuid := Bytes("/a", nil)
	setuid.Mode |= fs.ModeSetuid
	owned := Bytes("/a", nil)
	owned.UID = 1
	for want, e := range map[string]Entry{
		`"/etc/os-release" (from here) to the root: the base has put a file`:         Bytes("/etc/os-release", nil),
		`"/etc/os-release/x" (from here) to the root: "/etc/os-release" (from the b`: Bytes("/etc/os-release/x", nil),
		`"/sbin/init" (from here) to the root: the base has put a link`:              Link("/sbin/init", "/x"),
		"is executable, and only":        shell,
		"setuid, setgid or sticky":       setuid,
		"it belongs to 1:0":              owned,
		"not absolute and clean":         Bytes("/etc/../x", nil),
		"may only lie in a baked image":  {Path: "/dev/null", Mode: fs.ModeDevice | fs.ModeCharDevice | 0o444},
		"a socket cannot lie":            {Path: v1alpha1.BakedImagesPath + "/x/s", Mode: fs.ModeSocket},
		"the file has no content":        {Path: "/a"},
		"only lie in a baked image, and": {Path: "/a", HardLink: v1alpha1.AgentPath},
		"is no file of the root":         {Path: v1alpha1.BakedImagesPath + "/x/a", HardLink: v1alpha1.BakedImagesPath + "/x/b"},
		"is no target":                   Link("/a", ""),
		"which only baked images may":    {Path: "/a", Mode: fs.ModeDir | 0o555, Xattrs: map[string]string{"user.a": "b"}},
	} {
		if err := testBase(t).Add("here", e); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", want, err)
		}
	}
}

func TestAddClearsWriteBits(t *testing.T) {
	tree, file := New(), Bytes("/etc/a", nil)
	file.Mode = 0o666
	if err := tree.Add("here", file, Entry{Path: "/etc", Mode: fs.ModeDir | 0o755}); err != nil {
		t.Fatal(err)
	}
	if got, want := tree.Listing(), "0555 0:0 directory /\n0555 0:0 directory /etc\n0444 0:0 file /etc/a\n"; got != want {
		t.Errorf("%s, not %s", got, want)
	}
}

func TestAddTakesADirectoryTwice(t *testing.T) {
	tree := testBase(t)
	if err := tree.Add("one", Bytes("/opt/a", nil), Directory("/opt"), Directory("/opt")); err != nil {
		t.Error(err)
	}
	if err := tree.Add("two", Entry{Path: "/opt", Mode: fs.ModeDir | 0o111}); err == nil || !strings.Contains(err.Error(), "one has put") {
		t.Error(err)
	}
}
