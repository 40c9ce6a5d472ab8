package definition

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stele-os/stele/internal/bundle"
)

// Kinds of baked image sources.
const (
	sourceLayout   = "oci-layout"
	sourceArchive  = "oci-archive"
	sourceRegistry = "docker"
	sourceGo       = "go"
)

// Problem is one thing wrong with a definition.
type Problem struct {
	// Path of the field, such as "files[2].mode".
	Path, Message string
}

// InvalidError holds all problems of a definition.
type InvalidError struct {
	File     string
	Problems []Problem
}

func (e *InvalidError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "cannot use image definition %q:", e.File)
	for _, p := range e.Problems {
		fmt.Fprintf(&b, "\n  %s: %s", p.Path, p.Message)
	}
	return b.String()
}

type problems []Problem

func (p *problems) add(path, format string, args ...any) {
	*p = append(*p, Problem{path, fmt.Sprintf(format, args...)})
}

var (
	labelPattern    = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`) // RFC 1123
	registryPattern = regexp.MustCompile(`^//[a-z0-9][A-Za-z0-9./:_-]*@sha256:[0-9a-f]{64}$`)
	platforms       = []string{"", "qemu", "nocloud", "ec2", "metal", "none"}
)

// Validate reports everything wrong with a definition whose base and defaults are applied, as an *InvalidError.
func (d *Definition) Validate() error {
	var p problems
	d.validateHead(&p)
	d.validateKernel(&p)
	d.validateFiles(&p)
	d.validateImages(&p)
	d.validateDisk(&p)
	if len(p) > 0 {
		return &InvalidError{File: d.File, Problems: p}
	}
	return nil
}

func (d *Definition) validateHead(p *problems) {
	if d.APIVersion != APIVersion {
		p.add("apiVersion", "is %q, must be %q", d.APIVersion, APIVersion)
	}
	if d.Kind != Kind {
		p.add("kind", "is %q, must be %q", d.Kind, Kind)
	}
	if !labelPattern.MatchString(d.Name) {
		p.add("name", "%q is no name of lower-case letters, digits and dashes", d.Name)
	}
	if err := bundle.CheckVersion(d.Version); err != nil {
		p.add("version", "%s", withHint(err))
	}
	if d.SecurityVersion < 0 || d.SecurityVersion > bundle.MaxSecurityVersion {
		p.add("securityVersion", "%d is not from 0 to %d", d.SecurityVersion, bundle.MaxSecurityVersion)
	}
	if len(d.Architectures) == 0 {
		p.add("architectures", "at least one of %s is needed", joined(Arches))
	}
	for i, a := range d.Architectures {
		if _, err := ParseArch(string(a)); err != nil {
			p.add(fmt.Sprintf("architectures[%d]", i), "%s", withHint(err))
		}
	}
	for i, name := range d.Outputs {
		if !slices.Contains(Outputs, name) {
			p.add(fmt.Sprintf("outputs[%d]", i), "%q is none of %s", name, strings.Join(Outputs, ", "))
		}
	}
	if !slices.Contains(platforms, d.Metadata.Platform) {
		p.add("metadata.platform", "%q is none of %s", d.Metadata.Platform, strings.Join(platforms[1:], ", "))
	}
	if t, err := time.ParseDuration(d.Metadata.Timeout); err != nil || t < time.Second || t > time.Hour {
		p.add("metadata.timeout", "%q is no time from 1s to 1h", d.Metadata.Timeout)
	}
}

// withHint is an error with its next step in one line.
func withHint(err error) string {
	var hinted interface{ Hint() string }
	if errors.As(err, &hinted) {
		return err.Error() + ": " + hinted.Hint()
	}
	return err.Error()
}

func (d *Definition) validateKernel(p *problems) {
	if (len(d.Kernel.Fragments) > 0) == (d.Kernel.Image != "") {
		p.add("kernel", "exactly one of fragments and image is needed")
	}
	validateWords(p, "commandLine", d.CommandLine)
	for _, arch := range slices.Sorted(maps.Keys(d.ByArchitecture)) {
		if _, err := ParseArch(string(arch)); err != nil {
			p.add("byArchitecture", "%s", withHint(err))
		}
		validateWords(p, "byArchitecture."+string(arch)+".commandLine", d.ByArchitecture[arch].CommandLine)
	}
}

func validateWords(p *problems, path string, words []string) {
	for i, word := range words {
		at := fmt.Sprintf("%s[%d]", path, i)
		key, _, _ := strings.Cut(word, "=")
		switch {
		case word == "" || strings.ContainsFunc(word, func(r rune) bool { return r <= ' ' || r > '~' }):
			p.add(at, "%q is not one word of printable ASCII", word)
		case key == "root" || key == "init" || key == "rdinit" || key == "initrd" || strings.HasPrefix(key, "dm-mod.") || strings.HasPrefix(key, "dm_mod."):
			p.add(at, "%q is the builder's: it would undo the verified root", key)
		}
	}
}

// hidden are the folders that something is mounted over.
var hidden = []string{"/proc", "/sys", "/dev", "/run", "/tmp", "/var", "/efi"}

func (d *Definition) validateFiles(p *problems) {
	seen := map[string]bool{}
	for i, f := range d.Files {
		at := fmt.Sprintf("files[%d]", i)
		if !strings.HasPrefix(f.Path, "/") || path.Clean(f.Path) != f.Path || f.Path == "/" || strings.ContainsRune(f.Path, 0) {
			p.add(at+".path", "%q is no clean absolute path", f.Path)
		}
		for _, dir := range hidden {
			if f.Path == dir || strings.HasPrefix(f.Path, dir+"/") {
				p.add(at+".path", "%q lies where %s is mounted: nobody would see it", f.Path, dir)
			}
		}
		if seen[f.Path] {
			p.add(at+".path", "%q is listed twice", f.Path)
		}
		seen[f.Path] = true
		if mode, err := strconv.ParseUint(f.Mode, 8, 32); err != nil || mode&^0o444 != 0 {
			p.add(at+".mode", "%q is no octal mode of read bits alone (0444, 0440, 0400)", f.Mode)
		}
		if (f.Source != "") == (f.Content != nil) {
			p.add(at, "exactly one of source and content is needed")
		}
	}
	for _, named := range []struct{ at, path string }{{"document", d.Document}, {"update.root", d.Update.Root}} {
		if strings.ContainsRune(named.path, 0) {
			p.add(named.at, "%q is no path", named.path)
		}
	}
}

func (d *Definition) validateImages(p *problems) {
	seen := map[string]bool{}
	for i, image := range d.Images {
		at := fmt.Sprintf("images[%d]", i)
		if !labelPattern.MatchString(image.Name) {
			p.add(at+".name", "%q is no name of lower-case letters, digits and dashes", image.Name)
		}
		if seen[image.Name] {
			p.add(at+".name", "%q is listed twice", image.Name)
		}
		seen[image.Name] = true
		kind, rest, _ := strings.Cut(image.Source, ":")
		switch {
		case kind == sourceRegistry && !registryPattern.MatchString(rest):
			p.add(at+".source", "%q names no image by digest (docker://NAME@sha256:…)", image.Source)
		case kind == sourceRegistry:
		case !slices.Contains([]string{sourceLayout, sourceArchive, sourceGo}, kind) || rest == "":
			p.add(at+".source", "%q is none of oci-layout:DIR, oci-archive:TAR, docker://NAME@sha256:DIGEST, go:DIR", image.Source)
		}
	}
}

func (d *Definition) validateDisk(p *problems) {
	for _, size := range []struct {
		path, value string
		least       int64
	}{
		{"partitions.esp", d.Partitions.ESP, 64 << 20},
		{"partitions.root", d.Partitions.Root, 16 << 20},
		{"partitions.var", d.Partitions.Var, 128 << 20},
	} {
		n, err := ParseQuantity(size.value)
		switch {
		case err != nil:
			p.add(size.path, "%v", err)
		case n < size.least || n > 1<<44:
			p.add(size.path, "%q is less than %d MiB or more than 16 TiB", size.value, size.least>>20)
		case n%(1<<20) != 0:
			p.add(size.path, "%q is no multiple of 1 MiB", size.value)
		}
	}
	if d.RootFormat != RootEROFS && d.RootFormat != RootEROFSLZ4HC {
		p.add("rootFormat", "%q is none of %s, %s", d.RootFormat, RootEROFS, RootEROFSLZ4HC)
	}
}
