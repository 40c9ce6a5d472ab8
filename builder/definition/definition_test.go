package definition

import (
	"errors"
	"fmt"
	"io/fs"
	"reflect"
	"strings"
	"testing"
)

const minimal = `apiVersion: stele/v1alpha1
kind: Image
name: demo
version: 1.2.3
architectures: [x86_64]
kernel:
  fragments: [../kernel-configs/base.config, "../kernel-configs/{arch}.config"]
`

func fakeFiles(files map[string]string) func(string) ([]byte, error) {
	return func(path string) ([]byte, error) {
		text, ok := files[path]
		if !ok {
			return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
		}
		return []byte(text), nil
	}
}

func TestLoadDefaultsAndPaths(t *testing.T) {
	d, err := load(fakeFiles(map[string]string{"images/demo.yaml": minimal + "document: machine.yaml\nupdate: {root: 1.root.json}\nimages: [{name: web, source: 'go:./demo'}, {name: r, source: 'docker://r.example.com/a@sha256:" + strings.Repeat("0", 64) + "'}]\n"}), "images/demo.yaml", "")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ what, got, want string }{
		{"fragment", ForArch(d.Kernel.Fragments[1], ARM64), "kernel-configs/arm64.config"},
		{"document", d.Document, "images/machine.yaml"},
		{"root of trust", d.Update.Root, "images/1.root.json"},
		{"go source", d.Images[0].Source, "go:images/demo"},
		{"registry source", d.Images[1].Source[:24], "docker://r.example.com/a"},
		{"root", d.Partitions.Root, "512Mi"},
		{"format", d.RootFormat, "erofs"},
		{"outputs", strings.Join(d.Outputs, " "), "disk.raw uki.efi vmlinuz root.erofs root.verity"},
		{"timeout", d.Metadata.TimeoutDuration().String(), "30s"},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %q, want %q", c.what, c.got, c.want)
		}
	}
}

func TestLoadBase(t *testing.T) {
	d, err := load(fakeFiles(map[string]string{
		"images/base.yaml": minimal + "update: {root: keys/root.json}\ncommandLine: [quiet]\nfiles: [{path: /etc/a, content: base}, {path: /etc/b, content: base}]\nmetadata: {timeout: 10s}\n",
		"images/sub/demo.yaml": "apiVersion: stele/v1alpha1\nkind: Image\nbase: ../base.yaml\nname: over\ncommandLine: [loglevel=3]\n" +
			"files: [{path: /etc/a, source: a}]\npartitions: {root: 1Gi}\n",
	}), "images/sub/demo.yaml", "")
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprint(d.Name, d.Version, d.CommandLine, d.Kernel.Fragments, d.Partitions.Root, d.Metadata.Timeout, len(d.Files), d.Files[0].Path, d.Files[1].Source, d.Update.Root)
	want := "over1.2.3[quiet loglevel=3][kernel-configs/base.config kernel-configs/{arch}.config]1Gi10s2/etc/bimages/sub/aimages/keys/root.json"
	if strings.ReplaceAll(got, " ", "") != strings.ReplaceAll(want, " ", "") {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestLoadRefuses(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"unknown field", minimal + "partitions:\n  rot: 1Gi\n", `images/x.yaml:9:3: partitions.rot: unknown field: did you mean "root"?`},
		{"unknown field at the top", minimal + "colour: red\n", `images/x.yaml:8:1: colour: unknown field`},
		{"wrong type", minimal + "files: 3\n", "images/x.yaml:8:8: "},
		{"bad YAML", "a: [", "images/x.yaml:1:"},
		{"twice the same field", minimal + "name: other\n", `images/x.yaml:8:1: the key "name" stands here twice`},
		{"two documents", minimal + "---\n" + minimal, "images/x.yaml:9:1: a second document begins here"},
		{"two mistakes", minimal + "colour: red\nfiles: 3\n", "\n  images/x.yaml:9:8: files: expected a list"},
		{"base in a circle", minimal + "base: x.yaml\n", "do they form a circle?"},
		{"base missing", minimal + "base: no.yaml\n", "open images/no.yaml: file does not exist"},
		{"too long", "#" + strings.Repeat("x", maxBytes), "more than 1048576 bytes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := load(fakeFiles(map[string]string{"images/x.yaml": c.text}), "images/x.yaml", "")
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestValidateReportsEverythingAtOnce(t *testing.T) {
	text := `apiVersion: stele/v2
kind: Machine
name: Demo_1
version: "1.2"
securityVersion: -1
architectures: [x86_64, mips]
kernel: {fragments: [a], image: b}
commandLine: ["two words", root=/dev/sda, dm-mod.create=x]
byArchitecture: {amd64: {}, arm64: {commandLine: [quiet, init=/bin/sh]}}
files:
  - {path: etc/a, content: x}
  - {path: /var/b, content: x, mode: "0666"}
  - {path: /etc/c}
  - {path: /etc/c, source: a, content: b, mode: "4755"}
images:
  - {name: web, source: "docker://example.com/web:latest"}
  - {name: web, source: "ftp:x"}
partitions: {esp: 1Mi, root: lots, var: "1000000001"}
rootFormat: squashfs
metadata: {platform: moon, timeout: 1ms}
outputs: [disk.vmdk]
`
	_, err := load(fakeFiles(map[string]string{"x.yaml": text}), "x.yaml", "")
	var invalid *InvalidError
	if !errors.As(err, &invalid) {
		t.Fatalf("got %v", err)
	}
	var got []string
	for _, p := range invalid.Problems {
		got = append(got, p.Path)
	}
	want := `apiVersion kind name version securityVersion architectures[1] outputs[0] metadata.platform metadata.timeout kernel commandLine[0] commandLine[1] commandLine[2] ` +
		`byArchitecture byArchitecture.arm64.commandLine[1] ` +
		`files[0].path files[1].path files[1].mode files[2] files[3].path files[3].mode files[3] ` +
		`images[0].source images[1].name images[1].source partitions.esp partitions.root partitions.var rootFormat`
	if strings.Join(got, " ") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, " "), want)
	}
}

// TestVersion holds that a definition takes the versions that the boot loader orders as people do (internal/bundle.CheckVersion).
func TestVersion(t *testing.T) {
	for version, want := range map[string]string{
		"1.1.0": "", "1.1.0~rc1": "",
		"1.1.0-rc1": "write 1.1.0~rc1: the boot loader takes 1.1.0-rc1 for newer than 1.1.0",
		"1.1.0+1":   `"1.1.0+1" is no version such as 1.2.3`,
	} {
		_, err := load(fakeFiles(map[string]string{"x.yaml": strings.Replace(minimal, "1.2.3", version, 1)}), "x.yaml", "")
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", version, err, want)
		}
		read := fakeFiles(map[string]string{"x.yaml": minimal})
		if d, err := load(read, "x.yaml", version); (err == nil) != (want == "") || err == nil && d.Version != version {
			t.Errorf("%s in the place of the definition's: got %v, want %q", version, err, want)
		}
	}
}

// TestWords: words of one architecture come behind those of all, the base's before one's own; a definition without its own keeps the base's.
func TestWords(t *testing.T) {
	const over = "apiVersion: stele/v1alpha1\nkind: Image\nbase: base.yaml\n"
	base := minimal + "commandLine: [a]\nbyArchitecture: {x86_64: {commandLine: [pc]}}\n"
	for _, c := range []struct{ name, text, x86, arm string }{
		{"none of its own", over, "a pc", "a"},
		{"both", over + "commandLine: [b]\nbyArchitecture: {x86_64: {commandLine: [pc2]}, arm64: {commandLine: [board]}}\n", "a b pc pc2", "a b board"},
	} {
		d, err := load(fakeFiles(map[string]string{"base.yaml": base, "x.yaml": c.text}), "x.yaml", "")
		if err != nil {
			t.Fatal(err)
		}
		if x86, arm := strings.Join(d.Words(X8664), " "), strings.Join(d.Words(ARM64), " "); x86 != c.x86 || arm != c.arm {
			t.Errorf("%s: got %q and %q, want %q and %q", c.name, x86, arm, c.x86, c.arm)
		}
	}
}

func TestParseArch(t *testing.T) {
	for word, want := range map[string]string{"x86_64": "", "arm64": "", "aarch64": "aarch64 is called arm64 here", "AMD64": "AMD64 is called x86_64 here", "mips": "none of x86_64, arm64", "": "none of"} {
		arch, err := ParseArch(word)
		if want == "" {
			if err != nil || string(arch) != word {
				t.Errorf("%s: got %q, %v", word, arch, err)
			}
			continue
		}
		if err == nil || !strings.Contains(withHint(err), want) {
			t.Errorf("%s: got %v, want %q", word, err, want)
		}
	}
}

func TestParseQuantity(t *testing.T) {
	for _, c := range []struct {
		s    string
		want int64
	}{{"0", 0}, {"512Mi", 512 << 20}, {"2Gi", 2 << 30}, {"1k", 1000}, {"3G", 3e9}, {"", -1}, {"Mi", -1}, {"-1", -1}, {"+1", -1}, {"1Kii", -1}, {"1.5Gi", -1}, {"9999999Ti", -1}, {"1mi", -1}} {
		got, err := ParseQuantity(c.s)
		if (err == nil) != (c.want >= 0) || err == nil && got != c.want {
			t.Errorf("ParseQuantity(%q) = %d, %v; want %d", c.s, got, err, c.want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(minimal))
	f.Fuzz(func(t *testing.T, text []byte) {
		d, err := Decode("images/x.yaml", text)
		if err != nil {
			return
		}
		d.setDefaults()
		_ = d.Validate()
	})
}

// TestWordsOfTags: the schema's words (field tags) are those that Validate takes.
func TestWordsOfTags(t *testing.T) {
	for _, c := range []struct {
		of    any
		field string
		want  []string
	}{
		{Definition{}, "APIVersion", []string{APIVersion}},
		{Definition{}, "Kind", []string{Kind}},
		{Definition{}, "Architectures", strings.Split(joined(Arches), ", ")},
		{Definition{}, "RootFormat", []string{RootEROFS, RootEROFSLZ4HC}},
		{Definition{}, "Outputs", Outputs},
		{Metadata{}, "Platform", platforms[1:]},
	} {
		f, _ := reflect.TypeOf(c.of).FieldByName(c.field)
		if got, want := f.Tag.Get("jsonschema"), "enum="+strings.Join(c.want, ",enum="); got != want {
			t.Errorf("%s: %q, want %q", c.field, got, want)
		}
	}
}
