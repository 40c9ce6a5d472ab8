package tree

import (
	"bytes"
	"context"
	"flag"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/erofs/go-erofs"

	"github.com/stele-os/stele/api/v1alpha1"
	"github.com/stele-os/stele/internal/oracle"
)

var update = flag.Bool("update", false, "write golden files anew")

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
	got, golden := testBase(t).Listing(), filepath.Join("testdata", "base.listing")
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the root changed; -update if that is wanted.\ngot:\n%s\nwant:\n%s", got, want)
	}
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
		"is executable, and only":       shell,
		"setuid, setgid or sticky":      setuid,
		"it belongs to 1:0":             owned,
		"not absolute and clean":        Bytes("/etc/../x", nil),
		"may only lie in a baked image": {Path: "/dev/null", Mode: fs.ModeDevice | fs.ModeCharDevice | 0o444},
		"a socket cannot lie":           {Path: v1alpha1.BakedImagesPath + "/x/s", Mode: fs.ModeSocket},
		"the file has no content":       {Path: "/a"},
		"is no target":                  Link("/a", ""),
		"which only baked images may":   {Path: "/a", Mode: fs.ModeDir | 0o555, Xattrs: map[string]string{"user.a": "b"}},
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

// bakedEntries are what an OCI image may hold and the rest of the root may not.
func bakedEntries() []Entry {
	root := v1alpha1.BakedImagesPath + "/web/rootfs"
	su := Bytes(root+"/bin/su", bytes.Repeat([]byte("su"), 3000))
	su.Mode = fs.ModeSetuid | 0o755
	ping := Bytes(root+"/bin/ping", []byte("ping"))
	ping.Mode, ping.Xattrs = 0o755, map[string]string{"security.capability": "\x01\x00\x00\x02\x00\x20\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", "user.note": "n"}
	home := Bytes(root+"/home/u/file", []byte("mine"))
	home.Mode, home.UID, home.GID = 0o640, 1000, 100000
	return []Entry{
		{Path: root, Mode: fs.ModeDir | 0o755}, {Path: root + "/tmp", Mode: fs.ModeDir | fs.ModeSticky | 0o777}, su, ping, home,
		{Path: root + "/dev/null", Mode: fs.ModeDevice | fs.ModeCharDevice | 0o666, Rdev: 1<<8 | 3},
		{Path: root + "/fifo", Mode: fs.ModeNamedPipe | 0o600}, Link(root+"/lib64", "usr/lib64"), Bytes(root+"/empty", nil),
	}
}

func writeEROFS(t *testing.T, tree *Tree) string {
	t.Helper()
	p := filepath.Join(t.TempDir(), "root.erofs")
	f, err := os.Create(p)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := tree.WriteEROFS(f, buildTime); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestEROFSKeepsEverything(t *testing.T) {
	tree := testBase(t)
	if err := tree.Add("image web", bakedEntries()...); err != nil {
		t.Fatal(err)
	}
	p := writeEROFS(t, tree)
	again, _ := os.ReadFile(writeEROFS(t, tree))
	if first, _ := os.ReadFile(p); !bytes.Equal(first, again) || len(first)%4096 != 0 {
		t.Error("two images differ, or are no whole blocks")
	}
	compareImage(t, tree, p)
	oracle.Run(t, "fsck.erofs", p)
}

// compareImage reads an image back and compares every entry with the tree.
func compareImage(t *testing.T, tree *Tree, p string) {
	t.Helper()
	f, err := os.Open(p)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	image, err := erofs.Open(f)
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	fs.WalkDir(image, ".", func(string, fs.DirEntry, error) error { count++; return nil })
	if entries := tree.Entries(); count != len(entries) {
		t.Errorf("%d entries, not %d", count, len(entries))
	}
	for _, e := range tree.Entries() {
		info, err := fs.Lstat(image, viewName(e.Path))
		if err != nil {
			t.Errorf("%s: %v", e.Path, err)
			continue
		}
		s := info.Sys().(*erofs.Stat)
		const known = fs.ModeType | fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky // go-erofs leaves raw type bits in, too
		if e.Mode.Type() != fs.ModeSymlink && s.Mode&known != e.Mode || s.UID != e.UID || s.GID != e.GID || uint64(s.Rdev) != e.Rdev || len(s.Xattrs) != len(e.Xattrs) {
			t.Errorf("%s: %v %+v", e.Path, info.Mode(), s)
		}
		for name, value := range e.Xattrs {
			if s.Xattrs[name] != value {
				t.Errorf("%s: %s is %q", e.Path, name, s.Xattrs[name])
			}
		}
		if !e.Mode.IsRegular() {
			continue
		}
		r, _ := e.Open()
		var want bytes.Buffer
		want.ReadFrom(r)
		if got, err := fs.ReadFile(image, viewName(e.Path)); err != nil || !bytes.Equal(got, want.Bytes()) {
			t.Errorf("%s: %d bytes, not %d: %v", e.Path, len(got), want.Len(), err)
		}
	}
}

func TestCompressedEROFS(t *testing.T) {
	oracle.Tool(t, "mkfs.erofs")
	tree, dir := testBase(t), t.TempDir()
	var images [2][]byte
	for i := range images {
		p := filepath.Join(dir, "root.erofs")
		if err := tree.WriteCompressedEROFS(context.Background(), p, dir, buildTime); err != nil {
			t.Fatal(err)
		}
		oracle.Run(t, "fsck.erofs", p)
		images[i], _ = os.ReadFile(p)
	}
	if !bytes.Equal(images[0], images[1]) {
		t.Error("two images differ")
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("%d files are left", len(left))
	}
	listing, err := exec.Command(oracle.Tool(t, "dump.erofs"), "--path=/usr/lib/stele/agent", filepath.Join(dir, "root.erofs")).CombinedOutput()
	if err != nil || !strings.Contains(string(listing), "Uid: 0") || !strings.Contains(string(listing), "0555") {
		t.Errorf("%v:\n%s", err, listing)
	}
}
