package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/stele-os/stele/agent/config"
	"github.com/stele-os/stele/agent/plan"
	"github.com/stele-os/stele/api/v1alpha1"
	"github.com/stele-os/stele/builder"
	"github.com/stele-os/stele/builder/definition"
	"github.com/stele-os/stele/builder/store"
	"github.com/stele-os/stele/internal/hint"
)

func newBuildCommand() *cobra.Command {
	var arch string
	var o builder.Options
	var signing func() (builder.SecureBoot, error)
	command := &cobra.Command{
		Use:   "build DEFINITION",
		Short: "Build the disk image that a definition describes",
		Long: `Build the disk image that a definition (images/*.yaml) describes. docs/image.md has every field of one;
docs/image.schema.json is for editors.

Compiled parts and fetched packages are kept in $STELE_CACHE (default: ~/.cache/stele) and made only once;
what has not changed is not built again. The Debian mirror is the one of the machine's apt configuration,
or DEBIAN_MIRROR; it is asked only for packages that the cache lacks.

With --secure-boot all that firmware starts is signed, and machines in setup mode enrol the keys (docs/secure-boot.md).`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			o.Definition, o.Mirror, o.Progress = args[0], os.Getenv("DEBIAN_MIRROR"), cmd.OutOrStdout()
			arches, err := archesToBuild(arch, args[0], o.Output)
			if err != nil {
				return err
			}
			if o.StoreDir, err = store.DefaultDir(os.Getenv); err != nil {
				return err
			}
			if o.SecureBoot, err = signing(); err != nil {
				return err
			}
			o.Terminal = isTerminal(os.Stdout)
			o.CheckDocument = func(file string, text []byte, image v1alpha1.ImageInfo) error {
				_, problems := config.Evaluate(config.Input{User: text, UserSource: file}, plan.Facts{Image: image})
				return config.Report(cmd.ErrOrStderr(), file, problems)
			}
			for _, arch := range arches {
				one := o
				one.Arch, one.Output = arch, definition.ForArch(o.Output, arch)
				manifest, err := builder.Build(cmd.Context(), one)
				if err != nil {
					return err
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%s %s for %s: %s, root hash %s\n", manifest.Name, manifest.Version, manifest.Architecture, one.Output, manifest.RootHash)
			}
			return nil
		},
	}
	flags := command.Flags()
	flags.StringVar(&arch, "arch", string(definition.X8664), "architecture: x86_64, arm64, or all that the definition names, one after the other")
	flags.StringVar(&o.Output, "output", "build/{arch}", "directory for the image's files; {arch} stands for the architecture")
	flags.StringVar(&o.Version, "version", "", "version of the image instead of the definition's")
	flags.StringVar(&o.Lock, "lock", "", "lock file (default lock.yaml beside the definition, else beside its base)")
	signing = signingImageFlags(command)
	flags.BoolVar(&o.Explain, "explain", false, "print each stage's key and digests, and whether it came from the store")
	return command
}

// allArches is the word for every architecture of the definition.
const allArches = "all"

// archesToBuild are those that the word stands for. Two architectures need two directories.
func archesToBuild(word, file, output string) ([]definition.Arch, error) {
	if word != allArches {
		arch, err := definition.ParseArch(word)
		return []definition.Arch{arch}, err
	}
	d, err := definition.Load(file)
	if err != nil {
		return nil, err
	}
	if len(d.Architectures) > 1 && definition.ForArch(output, "") == output {
		err := fmt.Errorf("cannot build %v into one directory %q", d.Architectures, output)
		return nil, hint.New(err, "put {arch} into --output, such as "+filepath.Join(output, "{arch}"))
	}
	return d.Architectures, nil
}

// isTerminal tells whether lines can be rewritten.
func isTerminal(f *os.File) bool {
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil && os.Getenv("TERM") != "dumb"
}
