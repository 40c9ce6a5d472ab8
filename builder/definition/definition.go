// Package definition reads image definitions: what an image should be, as a person writes it (images/*.yaml).
//
// It decodes strictly (an unknown field is an error with line and column), applies the base a definition builds upon, and
// validates everything at once, each problem with its path. It opens no other file than definitions: whether a named
// source exists is found out by the stage that reads it.
//
// Every path in a definition is relative to the file it stands in. A definition with `base: other.yaml` is that one with its
// own scalars put over it, and its lists appended (files and images replace the base's entry of the same path or name;
// kernel.fragments, architectures and outputs replace the base's list).
//
// Templates and conditionals were rejected: a definition is data. What differs by architecture is written {arch} in a path, or stands in
// byArchitecture under the architecture's name.
package definition

import (
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// APIVersion and Kind are what every definition must carry.
const (
	APIVersion = "stele/v1alpha1"
	Kind       = "Image"
)

// Definition is one image definition. Once loaded, its base is applied and its paths are relative to the working directory.
type Definition struct {
	// APIVersion is always "stele/v1alpha1".
	APIVersion string `yaml:"apiVersion" jsonschema:"enum=stele/v1alpha1"`
	// Kind is always "Image".
	Kind string `yaml:"kind" jsonschema:"enum=Image"`
	// Base is the definition this one builds upon: a path, as all paths relative to the file it stands in.
	Base string `yaml:"base,omitempty"`
	// Name of the image, an RFC 1123 label. Needed, here or in the base.
	Name string `yaml:"name,omitempty"`
	// Version is MAJOR.MINOR.PATCH, with ~WORD for what comes before that release: the boot loader orders 1.1.0~rc1 before 1.1.0, but
	// 1.1.0-rc1 behind it. Needed, here or in the base.
	Version string `yaml:"version,omitempty"`
	// SecurityVersion is raised when an image must not come back: a machine that has committed one of 3 takes none below 3 any more. It has
	// nothing to do with Version, which orders releases. Default: 0.
	SecurityVersion int64 `yaml:"securityVersion,omitempty" jsonschema:"minimum=0"`
	// Architectures the image can be built for. Needed, here or in the base.
	Architectures []Arch `yaml:"architectures,omitempty" jsonschema:"enum=x86_64,enum=arm64"`
	// Kernel says which kernel the image starts. Needed, here or in the base.
	Kernel Kernel `yaml:"kernel,omitempty"`
	// CommandLine adds words to the kernel command line. The words of the verified root are the builder's and cannot be given.
	CommandLine []string `yaml:"commandLine,omitempty"`
	// ByArchitecture holds what only one of the architectures has, under its name.
	ByArchitecture map[Arch]Variant `yaml:"byArchitecture,omitempty"`
	// Files are added to the root; one of the base's with the same path is replaced.
	Files []File `yaml:"files,omitempty"`
	// Document is a file with a Machine document that lies in the image; the user's document is merged over it. The build checks it by the agent's own code.
	Document string `yaml:"document,omitempty"`
	// Images are OCI images that lie unpacked in the verified root and start without network; one of the base's with the same name is replaced.
	Images []Image `yaml:"images,omitempty"`
	// Partitions are sizes as Kubernetes quantities.
	Partitions Partitions `yaml:"partitions,omitempty"`
	// RootFormat is uncompressed or compressed with LZ4; [root-format.md](root-format.md) has the figures of both. Default: erofs.
	RootFormat string `yaml:"rootFormat,omitempty" jsonschema:"enum=erofs,enum=erofs-lz4hc"`
	// Metadata says where the machine's configuration comes from.
	Metadata Metadata `yaml:"metadata,omitempty"`
	// Update says whose updates the image takes.
	Update Update `yaml:"update,omitempty"`
	// Outputs are the files to write beside manifest.json. Default: all.
	Outputs []string `yaml:"outputs,omitempty" jsonschema:"enum=disk.raw,enum=uki.efi,enum=vmlinuz,enum=root.erofs,enum=root.verity"`

	// File is the path the definition was read from.
	File string `yaml:"-"`
}

// Kernel says which kernel the image starts: exactly one of its fields is given.
type Kernel struct {
	// Fragments are merged in order over allnoconfig; {arch} stands for the architecture.
	Fragments []string `yaml:"fragments,omitempty"`
	// Image is the path of a kernel of one's own, an EFI executable; {arch} stands for the architecture.
	Image string `yaml:"image,omitempty"`
}

// Variant is what an image has on one architecture, behind what it has on all.
type Variant struct {
	// CommandLine adds words to the kernel command line, behind those of all architectures.
	CommandLine []string `yaml:"commandLine,omitempty"`
}

// File is one regular file of the root, owned by 0:0. Exactly one of source and content is given.
type File struct {
	// Path on the root, absolute.
	Path string `yaml:"path"`
	// Mode in octal, in quotes. Nothing on the root is writable or, beside the product's own two programs, executable. Default: "0444".
	Mode string `yaml:"mode,omitempty"`
	// Source is the path of a file to copy.
	Source string `yaml:"source,omitempty"`
	// Content is the text itself.
	Content *string `yaml:"content,omitempty"`
}

// Image is an OCI image baked into the root.
type Image struct {
	// Name is what a container's `image` says to run it.
	Name string `yaml:"name"`
	// Source is "oci-layout:DIR", "oci-archive:TAR" (also what "docker save" writes), "docker://NAME@sha256:DIGEST" (a registry on the
	// loopback or at a private address may do without TLS) or "go:DIR" (a Go main package of this module, built static and alone in its image).
	Source string `yaml:"source"`
}

// Partitions are sizes as Kubernetes quantities, multiples of 1 MiB.
type Partitions struct {
	// ESP holds the loader and up to three UKIs. Default: 512Mi.
	ESP string `yaml:"esp,omitempty"`
	// Root is the size of each of the two root slots; at least twice the root is wise. Default: 512Mi.
	Root string `yaml:"root,omitempty"`
	// Var is the size of /var in the image; it grows to the end of the disk at first boot. Default: 128Mi.
	Var string `yaml:"var,omitempty"`
}

// Metadata says where the machine's configuration comes from.
type Metadata struct {
	// Platform fixes where the document comes from; "none" means that the image's own is the only one. Default: found by looking.
	Platform string `yaml:"platform,omitempty" jsonschema:"enum=qemu,enum=nocloud,enum=ec2,enum=metal,enum=none"`
	// Timeout is how long the machine waits before it says so and uses its last good document. Default: 30s.
	Timeout string `yaml:"timeout,omitempty"`
}

// Update says whose updates the image takes.
type Update struct {
	// Root is a file with root metadata of an update repository (metadata/1.root.json or a later one): the keys that may sign this image's
	// updates. It lies on the verified root and no configuration can replace it. An image without it takes no updates.
	Root string `yaml:"root,omitempty"`
}

// Names of output files, a contract with everything that reads build/<arch>/.
const (
	OutputDisk   = "disk.raw"
	OutputUKI    = "uki.efi"
	OutputKernel = "vmlinuz"
	OutputRoot   = "root.erofs"
	OutputVerity = "root.verity"
)

// Outputs are all output files.
var Outputs = []string{OutputDisk, OutputUKI, OutputKernel, OutputRoot, OutputVerity}

// Root formats.
const (
	RootEROFS      = "erofs"
	RootEROFSLZ4HC = "erofs-lz4hc"
)

func (d *Definition) setDefaults() {
	setDefault(&d.Partitions.ESP, "512Mi")
	setDefault(&d.Partitions.Root, "512Mi")
	setDefault(&d.Partitions.Var, "128Mi")
	setDefault(&d.RootFormat, RootEROFS)
	setDefault(&d.Metadata.Timeout, "30s")
	if len(d.Outputs) == 0 {
		d.Outputs = Outputs
	}
	for i := range d.Files {
		setDefault(&d.Files[i].Mode, "0444")
	}
}

func setDefault(value *string, to string) {
	if *value == "" {
		*value = to
	}
}

// Timeout returns the metadata timeout of a valid definition.
func (m Metadata) TimeoutDuration() time.Duration {
	d, _ := time.ParseDuration(m.Timeout)
	return d
}

// Words are the words of the kernel command line on one architecture.
func (d *Definition) Words(arch Arch) []string {
	return slices.Concat(d.CommandLine, d.ByArchitecture[arch].CommandLine)
}

// ForArch returns a path of the definition with {arch} filled in.
func ForArch(path string, arch Arch) string { return strings.ReplaceAll(path, "{arch}", string(arch)) }

// relativeTo makes the definition's paths relative to the working directory.
func (d *Definition) relativeTo(dir string) {
	join := func(path *string) {
		if *path != "" && !filepath.IsAbs(*path) {
			*path = filepath.Join(dir, *path)
		}
	}
	join(&d.Base)
	join(&d.Document)
	join(&d.Update.Root)
	join(&d.Kernel.Image)
	for i := range d.Kernel.Fragments {
		join(&d.Kernel.Fragments[i])
	}
	for i := range d.Files {
		join(&d.Files[i].Source)
	}
	for i := range d.Images {
		kind, rest, ok := strings.Cut(d.Images[i].Source, ":")
		if ok && kind != sourceRegistry {
			join(&rest)
			d.Images[i].Source = kind + ":" + rest
		}
	}
}
