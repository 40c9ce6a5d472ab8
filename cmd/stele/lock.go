package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/stele-os/stele/builder/resolve"
)

func newLockCommand() *cobra.Command {
	var path string
	command := &cobra.Command{
		Use:   "lock",
		Short: "Pin the Debian packages that images are built from to what the mirror has now",
		Long: `Pin the Debian packages that images are built from to what the mirror has now.

Reads the signed index of each suite, verifies it with the machine's Debian archive keyring
and writes version, path, size and SHA-256 of each package into the lock file.
The mirror is the one of the machine's apt configuration, or DEBIAN_MIRROR.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			archive, err := resolve.OpenArchive(os.DirFS("/"), os.Getenv("DEBIAN_MIRROR"))
			if err != nil {
				return err
			}
			changed, err := resolve.WriteLock(cmd.Context(), archive, path)
			if err != nil {
				return err
			}
			for _, line := range changed {
				fmt.Fprintln(cmd.OutOrStdout(), line)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s: %d changed\n", path, len(changed))
			return nil
		},
	}
	command.Flags().StringVar(&path, "file", "images/lock.yaml", "lock file to write")
	return command
}
