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
)

func newBuildCommand() *cobra.Command {
	var arch string
	var o builder.Options
	command := &cobra.Command{
		Use:   "build DEFINITION",
		Short: "Build the disk image that a definition describes",
		Long: `Build the disk image that a definition (images/*.yaml) describes. docs/image.md has every field of one;
docs/image.schema.json is for editors.

Compiled parts and fetched packages are kept in $STELE_CACHE (default: ~/.cache/stele) and made only once;
what has not changed is not built again. The Debian mirror is the one of the machine's apt configuration,
or DEBIAN_MIRROR; it is asked only for packages that the cache lacks.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			o.Definition, o.Mirror, o.Progress = args[0], os.Getenv("DEBIAN_MIRROR"), cmd.OutOrStdout()
			if o.Arch, err = definition.ParseArch(arch); err != nil {
				return err
			}
			if o.StoreDir, err = store.DefaultDir(os.Getenv); err != nil {
				return err
			}
			if o.Output == "" {
				o.Output = filepath.Join("build", arch)
			}
			o.Terminal = isTerminal(os.Stdout)
			o.CheckDocument = func(file string, text []byte, image v1alpha1.ImageInfo) error {
				_, problems := config.Evaluate(config.Input{User: text, UserSource: file}, plan.Facts{Image: image})
				return config.Report(cmd.ErrOrStderr(), file, problems)
			}
			manifest, err := builder.Build(cmd.Context(), o)
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s %s for %s: %s, root hash %s\n", manifest.Name, manifest.Version, manifest.Architecture, o.Output, manifest.RootHash)
			return nil
		},
	}
	flags := command.Flags()
	flags.StringVar(&arch, "arch", string(definition.X8664), "architecture: x86_64 or arm64")
	flags.StringVar(&o.Output, "output", "", "directory for the image's files (default build/ARCH)")
	flags.StringVar(&o.Version, "version", "", "version of the image instead of the definition's")
	flags.StringVar(&o.Lock, "lock", "", "lock file (default lock.yaml beside the definition, else beside its base)")
	flags.BoolVar(&o.Explain, "explain", false, "print each stage's key and digests, and whether it came from the store")
	return command
}

// isTerminal tells whether lines can be rewritten.
func isTerminal(f *os.File) bool {
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil && os.Getenv("TERM") != "dumb"
}
