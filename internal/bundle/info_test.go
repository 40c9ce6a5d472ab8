package bundle

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

func TestValidate(t *testing.T) {
	_, good := write(t, newParts())
	for _, c := range []struct {
		name   string
		change func(*Info)
		want   string
	}{
		{"as written", func(*Info) {}, ""},
		{"with a minimum", func(i *Info) { i.MinimumVersion = "1.0.0~rc1" }, ""},
		{"format", func(i *Info) { i.Format = 2 }, "its format is 2, known is 1"},
		{"name", func(i *Info) { i.Name = "../x" }, `name: "../x"`},
		{"version", func(i *Info) { i.Version = "1.2" }, `version: "1.2"`},
		{"security version", func(i *Info) { i.SecurityVersion = -1 }, "securityVersion: -1"},
		{"minimum", func(i *Info) { i.MinimumVersion = "latest" }, `minimumVersion: "latest"`},
		{"architecture", func(i *Info) { i.Architecture = "amd64" }, `architecture: "amd64" is none of ["x86_64" "arm64"]`},
		{"root hash", func(i *Info) { i.RootHash = strings.ToUpper(i.RootHash) }, "rootHash: "},
		{"digest", func(i *Info) { i.Root.SHA256 = "" }, "root.sha256: "},
		{"UKI", func(i *Info) { i.UKI.Bytes = MaxUKIBytes + 1 }, "uki.bytes: "},
		{"root not in blocks", func(i *Info) { i.Root.Bytes++ }, "root.bytes: "},
		{"negative root", func(i *Info) { i.Root.Bytes = -4096 }, "root.bytes: "},
		{"huge root", func(i *Info) { i.Root.Bytes = MaxRootBytes + 4096 }, "root.bytes: "},
		{"tree", func(i *Info) { i.Verity.Bytes += 4096 }, "verity.bytes: "},
		{"table", func(i *Info) { i.Table.Length += EntryBytes }, "table.length: "},
		{"offset", func(i *Info) { i.Table.Offset = 1 << 62 }, "table.offset: "},
		{"length", func(i *Info) { i.BundleBytes++ }, "bundleBytes: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			info := good
			c.change(&info)
			err := info.Validate()
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestDecodeInfoRefuses(t *testing.T) {
	for _, c := range []struct{ custom, want string }{
		{``, "unexpected end"},
		{`{}`, `no "stele"`},
		{`{"stele": {"format": 7, "future": true}}`, "its format is 7, known is 1"},
		{`{"stele": {"format": 1, "future": true}}`, `unknown field "future"`},
		{`{"stele": {"format": 1}}`, `name: ""`},
	} {
		if _, err := DecodeInfo([]byte(c.custom)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.custom, err, c.want)
		}
	}
}

func FuzzDecodeInfo(f *testing.F) {
	_, info := write(f, newParts())
	custom, err := info.Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(custom))
	f.Fuzz(func(t *testing.T, custom []byte) {
		info, err := DecodeInfo(custom)
		if err != nil {
			return
		}
		again, err := info.Encode()
		if err != nil || !json.Valid(again) {
			t.Fatal(err)
		}
		if strings.ContainsAny(info.TargetName(), "/\\\x00") {
			t.Errorf("%q is no file name", info.TargetName())
		}
	})
}

func TestCheckVersion(t *testing.T) {
	for _, v := range []string{"0.0.0", "1.2.3", "2026.11.21", "1.1.0~rc1", "1.1.0~rc.1"} {
		if err := CheckVersion(v); err != nil {
			t.Error(err)
		}
	}
	for _, v := range []string{"", "1", "1.2", "1.2.3.4", "v1.2.3", "01.2.3", "1.2.3+4", "1.2.3_4", "1.2.3~", "1.2.3~a~b", "1.2.3/4", "1.2.3^1", "1.2.3~" + strings.Repeat("x", 60)} {
		if CheckVersion(v) == nil {
			t.Errorf("%q is taken", v)
		}
	}
	var hinted interface{ Hint() string }
	if err := CheckVersion("1.1.0-rc1"); !errors.As(err, &hinted) || hinted.Hint() != "write 1.1.0~rc1: the boot loader takes 1.1.0-rc1 for newer than 1.1.0" {
		t.Errorf("got %v", err)
	}
}
