package definition

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/stele-os/stele/internal/strictyaml"
)

const (
	maxBytes = 1 << 20
	maxDepth = 8 // of bases upon bases
)

// Load reads the definition at path and everything it builds upon, and validates the result.
func Load(path string) (*Definition, error) { return LoadVersion(path, "") }

// LoadVersion is Load with another version than the definition's, where version is not empty.
func LoadVersion(path, version string) (*Definition, error) { return load(os.ReadFile, path, version) }

func load(read func(string) ([]byte, error), path, version string) (*Definition, error) {
	d, err := loadChain(read, path, 0)
	if err != nil {
		return nil, err
	}
	setDefault(&version, d.Version)
	d.Version = version
	d.setDefaults()
	if err := d.Validate(); err != nil {
		return nil, err
	}
	return d, nil
}

func loadChain(read func(string) ([]byte, error), path string, depth int) (*Definition, error) {
	if depth == maxDepth {
		return nil, fmt.Errorf("cannot read image definition %q: bases are nested more than %d deep; do they form a circle?", path, maxDepth)
	}
	text, err := read(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read image definition: %w", err)
	}
	d, err := Decode(path, text)
	if err != nil {
		return nil, err
	}
	if d.Base == "" {
		return d, nil
	}
	base, err := loadChain(read, d.Base, depth+1)
	if err != nil {
		return nil, err
	}
	return merge(base, d), nil
}

// Decode reads one definition strictly, without its base, and without validating it. path names it in errors.
func Decode(path string, text []byte) (*Definition, error) {
	if len(text) > maxBytes {
		return nil, fmt.Errorf("cannot read image definition %q: it has more than %d bytes", path, maxBytes)
	}
	d := &Definition{}
	if _, problems := strictyaml.Decode(text, d); len(problems) > 0 {
		return nil, decodeError(path, problems)
	}
	d.File = path
	d.relativeTo(filepath.Dir(path))
	return d, nil
}

// decodeError puts each problem into the form FILE:LINE:COLUMN, one a line.
func decodeError(path string, problems []strictyaml.Problem) error {
	if len(problems) == 1 {
		return fmt.Errorf("cannot read image definition %s:%w", path, problems[0])
	}
	var b strings.Builder
	fmt.Fprintf(&b, "cannot read image definition %q:", path)
	for _, p := range problems {
		fmt.Fprintf(&b, "\n  %s:%v", path, p)
	}
	return errors.New(b.String())
}

// merge puts a definition over its base.
func merge(base, over *Definition) *Definition {
	d := *over
	d.Base = base.File
	for _, field := range []struct{ to, from *string }{
		{&d.Name, &base.Name}, {&d.Version, &base.Version}, {&d.Document, &base.Document}, {&d.Update.Root, &base.Update.Root},
		{&d.Partitions.ESP, &base.Partitions.ESP}, {&d.Partitions.Root, &base.Partitions.Root}, {&d.Partitions.Var, &base.Partitions.Var},
		{&d.RootFormat, &base.RootFormat}, {&d.Metadata.Platform, &base.Metadata.Platform}, {&d.Metadata.Timeout, &base.Metadata.Timeout},
	} {
		setDefault(field.to, *field.from)
	}
	if len(d.Kernel.Fragments) == 0 && d.Kernel.Image == "" {
		d.Kernel = base.Kernel
	}
	if len(d.Architectures) == 0 {
		d.Architectures = base.Architectures
	}
	if len(d.Outputs) == 0 {
		d.Outputs = base.Outputs
	}
	d.CommandLine = slices.Concat(base.CommandLine, over.CommandLine)
	d.ByArchitecture = mergeVariants(base.ByArchitecture, over.ByArchitecture)
	d.Files = mergeBy(base.Files, over.Files, func(f File) string { return f.Path })
	d.Images = mergeBy(base.Images, over.Images, func(i Image) string { return i.Name })
	return &d
}

// mergeVariants appends each architecture's lists.
func mergeVariants(base, over map[Arch]Variant) map[Arch]Variant {
	merged := maps.Clone(base)
	if merged == nil {
		return over
	}
	for arch, v := range over {
		merged[arch] = Variant{CommandLine: slices.Concat(base[arch].CommandLine, v.CommandLine)}
	}
	return merged
}

// mergeBy appends over to base; an entry with the name of one of the base's replaces it.
func mergeBy[T any](base, over []T, name func(T) string) []T {
	replaced := map[string]bool{}
	for _, o := range over {
		replaced[name(o)] = true
	}
	kept := slices.DeleteFunc(slices.Clone(base), func(b T) bool { return replaced[name(b)] })
	return append(kept, over...)
}
