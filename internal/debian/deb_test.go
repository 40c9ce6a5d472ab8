package debian

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

func arMember(name string, content []byte) string {
	padded := string(content)
	if len(content)%2 == 1 {
		padded += "\n"
	}
	return fmt.Sprintf("%-16s%-12d%-6d%-6d%-8s%-10d`\n%s", name, 0, 0, 0, "100644", len(content), padded)
}

func tarball(t testing.TB) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, f := range []struct{ name, content string }{{"./usr/a", "first"}, {"./usr/b", "second"}} {
		if err := w.WriteHeader(&tar.Header{Name: f.name, Mode: 0o644, Size: int64(len(f.content))}); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, f.content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func compressed(t testing.TB, suffix string, content []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	var w io.WriteCloser
	var err error
	switch suffix {
	case ".gz":
		w = gzip.NewWriter(&out)
	case ".xz":
		w, err = xz.NewWriter(&out)
	case ".zst":
		w, err = zstd.NewWriter(&out)
	default:
		return content
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func deb(t testing.TB, suffix string) []byte {
	return []byte(arMagic + arMember("debian-binary", []byte("2.0\n")) + arMember("control.tar.gz/", []byte("odd")) +
		arMember("data.tar"+suffix, compressed(t, suffix, tarball(t))))
}

func TestWalkDeb(t *testing.T) {
	for _, suffix := range []string{"", ".gz", ".xz", ".zst"} {
		t.Run("data.tar"+suffix, func(t *testing.T) {
			var got []string
			err := WalkDeb(bytes.NewReader(deb(t, suffix)), func(name string, _ *tar.Header, r io.Reader) error {
				content, err := io.ReadAll(r)
				got = append(got, name+"="+string(content))
				return err
			})
			if want := "/usr/a=first /usr/b=second"; err != nil || strings.Join(got, " ") != want {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

func TestWalkDebStops(t *testing.T) {
	calls := 0
	err := WalkDeb(bytes.NewReader(deb(t, "")), func(string, *tar.Header, io.Reader) error { calls++; return ErrStop })
	if err != nil || calls != 1 {
		t.Errorf("%d calls, %v", calls, err)
	}
}

func TestWalkDebIsBounded(t *testing.T) {
	for _, suffix := range []string{".gz", ".xz", ".zst"} {
		zeroes := arMagic + arMember("data.tar"+suffix, compressed(t, suffix, append(tarball(t), make([]byte, 1<<20)...)))
		err := walkDeb(strings.NewReader(zeroes), 1<<10, func(_ string, _ *tar.Header, r io.Reader) error {
			_, err := io.Copy(io.Discard, r)
			return err
		})
		if err == nil || !strings.Contains(err.Error(), "too many bytes") {
			t.Errorf("data.tar%s: %v", suffix, err)
		}
	}
}

func TestWalkDebRefuses(t *testing.T) {
	good := deb(t, ".xz")
	for _, c := range []struct {
		name, content, want string
	}{
		{"empty", "", "no ar archive"},
		{"no data", arMagic + arMember("debian-binary", []byte("2.0\n")), "no member data.tar"},
		{"damaged header", arMagic + strings.Repeat("x", 60), "header is damaged"},
		{"negative size", arMagic + fmt.Sprintf("%-16s%-32s%-10d`\n", "x", "", -1), "has the size"},
		{"unknown compression", arMagic + arMember("data.tar.lz9", nil), "no known compression"},
		{"truncated", string(good[:len(good)-40]), "cannot read data.tar.xz"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := WalkDeb(strings.NewReader(c.content), func(_ string, _ *tar.Header, r io.Reader) error {
				_, err := io.Copy(io.Discard, r)
				return err
			})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}
