package oci

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"
)

// layerOf makes a layer of lines: "dir/", "file=content", "link->target", "hard=>target", "dev!".
func layerOf(t testing.TB, lines ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, line := range lines {
		h := &tar.Header{Name: line, Mode: 0o644, Typeflag: tar.TypeReg, Format: tar.FormatPAX}
		var content string
		if name, target, ok := strings.Cut(line, "->"); ok {
			h.Name, h.Linkname, h.Typeflag = name, target, tar.TypeSymlink
		} else if name, target, ok := strings.Cut(line, "=>"); ok {
			h.Name, h.Linkname, h.Typeflag = name, target, tar.TypeLink
		} else if name, text, ok := strings.Cut(line, "="); ok {
			h.Name, content = name, text
			h.Size = int64(len(text))
		} else if strings.HasSuffix(line, "/") {
			h.Typeflag, h.Mode = tar.TypeDir, 0o750
		} else if name, ok := strings.CutSuffix(line, "!"); ok {
			h.Name, h.Typeflag = name, tar.TypeChar
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// memory is a spool without a file.
type memory struct{ data []byte }

func (m *memory) add(r io.Reader) (span, error) {
	b, err := io.ReadAll(r)
	at := span{int64(len(m.data)), int64(len(b))}
	m.data = append(m.data, b...)
	return at, err
}

func listing(f *flattened, m *memory) string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(f.files)) {
		e := f.files[name]
		switch {
		case name == ".":
		case e.mode.IsDir():
			out = append(out, name+"/")
		case e.mode&fs.ModeSymlink != 0:
			out = append(out, name+"->"+e.target)
		default:
			out = append(out, name+"="+string(m.data[e.content.offset:e.content.offset+e.content.size]))
		}
	}
	return strings.Join(out, " ")
}

func TestFlatten(t *testing.T) {
	type layers = [][]string
	tests := []struct {
		name   string
		layers layers
		want   string
		fails  string
	}{
		{"files and implied parents", layers{{"a/b/c=1"}}, "a/ a/b/ a/b/c=1", ""},
		{"a later layer wins", layers{{"a=1"}, {"a=2"}}, "a=2", ""},
		{"whiteout", layers{{"a/x=1", "b=1"}, {".wh.a"}}, "b=1", ""},
		{"whiteout spares its own layer", layers{{"a=1"}, {"a=2", ".wh.a"}}, "a=2", ""},
		{"opaque directory", layers{{"a/x=1", "a/y/z=1"}, {"a/n=2", "a/.wh..wh..opq"}}, "a/ a/n=2", ""},
		{"opaque root", layers{{"a=1"}, {".wh..wh..opq", "b=1"}}, "b=1", ""},
		{"file becomes directory", layers{{"a=1"}, {"a/b=2"}}, "a/ a/b=2", ""},
		{"directory becomes file", layers{{"a/b=1"}, {"a=2"}}, "a=2", ""},
		{"directory keeps its children", layers{{"a/b=1"}, {"a/"}}, "a/ a/b=1", ""},
		{"hard link", layers{{"a=1", "b=>a"}, {"c=>a"}}, "a=1 b=1 c=1", ""},
		{"hard link outlives its target", layers{{"a=1", "b=>a"}, {".wh.a"}}, "b=1", ""},
		{"through a link in the root", layers{{"usr/lib/", "lib->usr/lib"}, {"lib/x=1"}}, "lib->usr/lib usr/ usr/lib/ usr/lib/x=1", ""},
		{"a link out of the root stays inside", layers{{"out->../../etc"}, {"out/passwd=1"}}, "etc/ etc/passwd=1 out->../../etc", ""},
		{"an absolute link stays inside", layers{{"out->/etc"}, {"out/passwd=1"}}, "etc/ etc/passwd=1 out->/etc", ""},
		{"absolute and dotted names", layers{{"/a=1", "./b=2"}}, "a=1 b=2", ""},
		{"devices are left out", layers{{"dev/null!", "a=1"}}, "a=1", ""},
		{"path that goes up", layers{{"../a=1"}}, "", `the path holds ".."`},
		{"hard link that goes up", layers{{"a=>../../etc/passwd"}}, "", `the path holds ".."`},
		{"hard link to nothing", layers{{"a=>b"}}, "", "is no file of the image"},
		{"circle of links", layers{{"a->b", "b->a"}, {"a/x=1"}}, "", "too many symbolic links"},
		{"whiteout of nothing", layers{{".wh."}}, "", "names nothing"},
		{"whiteout that goes up", layers{{"a/.wh..."}}, "", "names nothing"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := &memory{}
			f := newFlattened(m.add)
			var err error
			for _, lines := range tt.layers {
				if err = f.apply(bytes.NewReader(layerOf(t, lines...))); err != nil {
					break
				}
			}
			if tt.fails != "" {
				if err == nil || !strings.Contains(err.Error(), tt.fails) {
					t.Fatalf("error %v, want %q", err, tt.fails)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := listing(f, m); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestFlattenKeepsAttributes(t *testing.T) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if err := w.WriteHeader(&tar.Header{
		Name: "ping", Mode: 0o4755, Uid: 7, Gid: 8, Typeflag: tar.TypeReg, Format: tar.FormatPAX,
		PAXRecords: map[string]string{xattrRecord + "security.capability": "\x01\x00", xattrRecord + "trusted.overlay.opaque": "y", "comment": "x"},
	}); err != nil {
		t.Fatal(err)
	}
	w.Close()
	m := &memory{}
	f := newFlattened(m.add)
	if err := f.apply(&b); err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprintf("%v %d:%d %q", f.files["ping"].mode, f.files["ping"].uid, f.files["ping"].gid, f.files["ping"].xattrs)
	if want := `urwxr-xr-x 7:8 map["security.capability":"\x01\x00"]`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// FuzzFlatten: whatever a layer holds, every path stays inside, and every entry's parents are directories.
func FuzzFlatten(f *testing.F) {
	for _, lines := range [][]string{{"a/b=1", "c->a", "c/d=2"}, {".wh.a", "a/.wh..wh..opq"}, {"x->/..", "x/y=1"}, {"../x=1"}, {"a=>a"}, {"d!"}} {
		f.Add(layerOf(f, lines...), layerOf(f, "a/b=3", ".wh.c"))
	}
	f.Fuzz(func(t *testing.T, first, second []byte) {
		m := &memory{}
		flat := newFlattened(m.add)
		_ = flat.apply(bytes.NewReader(first))
		_ = flat.apply(bytes.NewReader(second))
		for name := range flat.files {
			if name == "." {
				continue
			}
			if path.Clean("/"+name) != "/"+name {
				t.Fatalf("path %q is not clean", name)
			}
			if parent := flat.files[path.Dir(name)]; parent == nil || !parent.mode.IsDir() {
				t.Fatalf("the parent of %q is no directory", name)
			}
		}
	})
}
