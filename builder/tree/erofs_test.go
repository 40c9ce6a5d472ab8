package tree

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/erofs/go-erofs"

	"github.com/stele-os/stele/api/v1alpha1"
	"github.com/stele-os/stele/internal/oracle"
)

// bakedEntries are what an OCI image may hold and the rest of the root may not.
func bakedEntries() []Entry {
	root := v1alpha1.BakedImagesPath + "/web/rootfs"
	su := Bytes(root+"/bin/su", bytes.Repeat([]byte("su"), 3000))
	su.Mode = fs.ModeSetuid | 0o755
	ping := Bytes(root+"/bin/ping", []byte("ping"))
	ping.Mode, ping.Xattrs = 0o755, map[string]string{"security.capability": "\x01\x00\x00\x02\x00\x20\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", "user.note": "n"}
	home := Bytes(root+"/home/u/file", []byte("mine"))
	home.Mode, home.UID, home.GID = 0o640, 1000, 100000
	entries := []Entry{
		{Path: root, Mode: fs.ModeDir | 0o755}, {Path: root + "/tmp", Mode: fs.ModeDir | fs.ModeSticky | 0o777}, su, ping, home,
		{Path: root + "/dev/null", Mode: fs.ModeDevice | fs.ModeCharDevice | 0o666, Rdev: 1<<8 | 3},
		{Path: root + "/fifo", Mode: fs.ModeNamedPipe | 0o600}, Link(root+"/lib64", "usr/lib64"), Bytes(root+"/empty", nil),
		{Path: root + "/another/ping", HardLink: root + "/bin/ping"},
	}
	for i := range 300 { // more names than a directory block holds
		entries = append(entries, Entry{Path: fmt.Sprintf("%s/applets/name-of-applet-%03d", root, i), HardLink: root + "/bin/su"})
	}
	return entries
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
	if info, _ := os.Stat(p); info.Size() > 128<<10 {
		t.Errorf("%d bytes: hard links take room", info.Size())
	}
	oracle.Run(t, "fsck.erofs", p)
}

func TestEROFSRefusesContentOfAnotherLength(t *testing.T) {
	for content, want := range map[string]string{"1234": " bytes, not ", "123456": " has more than "} {
		for _, size := range []int64{5, 5000} { // beside the inode, and in blocks of its own
			e := Bytes("/etc/x", []byte(strings.Repeat(content, int(size/5))))
			e.Size = size
			tree := New()
			if err := tree.Add("here", e); err != nil {
				t.Fatal(err)
			}
			f, err := os.Create(filepath.Join(t.TempDir(), "root.erofs"))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if err := tree.WriteEROFS(f, buildTime); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%d bytes for 5, %d in all: %v", len(content), size, err)
			}
		}
	}
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
		if target, err := fs.Lstat(image, viewName(e.HardLink)); e.HardLink != "" && (err != nil || target.Sys().(*erofs.Stat).Ino != s.Ino || s.Nlink < 2) {
			t.Errorf("%s is not linked to %s: %+v", e.Path, e.HardLink, s)
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
	image := v1alpha1.BakedImagesPath + "/web/rootfs"
	if err := tree.Add("image web", Bytes(image+"/z", []byte("content")), Entry{Path: image + "/a", HardLink: image + "/z"}); err != nil {
		t.Fatal(err)
	}
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
