package vm

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestMain(m *testing.M) {
	RunRelay()
	os.Exit(m.Run())
}

func TestCheckVersion(t *testing.T) {
	cases := []struct {
		output string
		ok     bool
	}{
		{"QEMU emulator version 10.0.2 (Debian 1:10.0.2+ds-2+deb13u1~bpo12+1)\n", true},
		{"QEMU emulator version 11.2.0\n", true},
		{"QEMU emulator version 7.2.17 (Debian 1:7.2+dfsg-7+deb12u15)\n", false},
		{"something else", false},
	}
	for _, c := range cases {
		if err := architectures["x86_64"].checkVersion("/usr/bin/qemu", c.output); (err == nil) != c.ok {
			t.Errorf("%q: %v", c.output, err)
		}
	}
	for name, want := range map[string]string{"x86_64": "bookworm-backports qemu-system-x86", "arm64": "bookworm-backports qemu-system-arm"} {
		var hinted interface{ Hint() string }
		if err := architectures[name].checkVersion("/usr/bin/qemu", cases[2].output); !errors.As(err, &hinted) || !strings.Contains(hinted.Hint(), want) {
			t.Errorf("%s: an old QEMU has no hint: %v", name, err)
		}
	}
}

func TestFindFirmware(t *testing.T) {
	root := t.TempDir()
	list := architecture{firmwarePackage: "fw", firmware: []firmware{{"/a/code.fd", "/a/vars.fd"}, {"/b/code.fd", "/b/vars.fd"}}}
	var hinted interface{ Hint() string }
	if _, err := findFirmware(root, list); !errors.As(err, &hinted) || !strings.Contains(err.Error(), "/b/code.fd") || !strings.HasSuffix(hinted.Hint(), "apt-get install fw") {
		t.Errorf("got %v", err)
	}
	for _, name := range []string{"/a/code.fd", "/b/code.fd", "/b/vars.fd"} { // a has no variables
		if err := os.MkdirAll(filepath.Dir(root+name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(root+name, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if f, err := findFirmware(root, list); err != nil || f.code != root+"/b/code.fd" {
		t.Errorf("got %+v, %v", f, err)
	}
}

func TestChoosePorts(t *testing.T) {
	ports, err := choosePorts([]NIC{{Forwards: []Forward{{Guest: 80}, {Guest: 81}}}})
	if err != nil || ports[80] == 0 || ports[81] == 0 || ports[80] == ports[81] {
		t.Fatalf("got %v, %v", ports, err)
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	var hinted interface{ Hint() string }
	_, err = choosePorts([]NIC{{Forwards: []Forward{{Guest: 80, Host: taken.Addr().(*net.TCPAddr).Port}}}})
	if !errors.As(err, &hinted) {
		t.Errorf("a taken port gives %v", err)
	}
}

func TestCopyLeavesTheOriginal(t *testing.T) {
	dir := t.TempDir()
	original := filepath.Join(dir, "disk.raw")
	f, err := os.Create(original)
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []int64{0, 5 << 20} { // data, a hole, data, a hole to the end
		if _, err := f.WriteAt([]byte("data"), at); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(f.Truncate(8<<20), f.Close()); err != nil {
		t.Fatal(err)
	}
	o := Options{Dir: filepath.Join(dir, "vm"), Disks: []Disk{{Path: original, Copy: true, SizeBytes: 16 << 20}}}
	if err := os.Mkdir(o.Dir, 0o755); err != nil {
		t.Fatal(err)
	}
	paths, err := prepareDisks(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	want, _ := os.ReadFile(original)
	got, err := os.ReadFile(paths[0])
	if err != nil || len(got) != 16<<20 || !bytes.Equal(got[:8<<20], want) {
		t.Errorf("the copy holds %d bytes, or others than the original's (%v)", len(got), err)
	}
	if err := os.WriteFile(paths[0], []byte("changed"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := prepareDisks(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(paths[0]); !bytes.HasPrefix(got, []byte("changed")) {
		t.Error("the second start does not find the first one's disk")
	}
}

// TestCopyOfVariables: the flash of arm64's firmware is mostly zeros, which take no room; a copy that is there stays.
func TestCopyOfVariables(t *testing.T) {
	dir := t.TempDir()
	from, to := filepath.Join(dir, "from"), filepath.Join(dir, "to")
	want := make([]byte, 1<<20+100)
	want[0], want[len(want)-1] = 1, 2
	if err := os.WriteFile(from, want, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := copyOnce(to, from); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(to); err != nil || !bytes.Equal(got, want) {
		t.Errorf("the copy differs (%d bytes, %v)", len(got), err)
	}
	if err := errors.Join(os.WriteFile(to, []byte("used"), 0o600), copyOnce(to, from)); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(to); string(got) != "used" {
		t.Error("the second start does not find the first one's variables")
	}
}

func TestUnknownArchitecture(t *testing.T) {
	_, err := Start(t.Context(), Options{Arch: "aarch64"})
	if want := `cannot start machine "vm": architecture "aarch64" is none of arm64, x86_64`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestMissingDisk(t *testing.T) {
	if _, err := prepareDisks(t.Context(), Options{Disks: []Disk{{Path: "/nonexistent/disk.raw"}}}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func TestRelay(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		request, _ := io.ReadAll(conn) // until the guest has closed its side
		_, _ = conn.Write(bytes.ToUpper(request))
	}()
	var out bytes.Buffer
	if err := relay(listener.Addr().String(), strings.NewReader("question"), &out); err != nil || out.String() != "QUESTION" {
		t.Errorf("got %q, %v", out.String(), err)
	}
}
