package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/stele-os/stele/builder/repository"
)

func newRepoPublishCommand() *cobra.Command {
	var p repository.PublishOptions
	command := &cobra.Command{
		Use:   "publish DIR IMAGE --keys KEYDIR",
		Short: "Sign a built image and add it to a repository",
		Long: `Sign a built image and add it to a repository.

IMAGE is the output directory of stele build. Its files are compared with its manifest, its hash tree with its root,
and its root of trust with the repository, before anything is signed. Machines see the new version when the command
has ended, and nothing of it before.

With --offline the version is signed by the targets keys alone, where those are kept; copy DIR to where the online keys are
and announce it there with stele repo expire.`,
		Args: cobra.ExactArgs(2),
	}
	f := signingFlags(command)
	command.Flags().StringVar(&p.MinimumVersion, "minimum-version", "", "`VERSION` that a machine must run to take this one (default: any)")
	command.Flags().BoolVar(&p.Offline, "offline", false, "sign without the online keys; machines do not see the version yet")
	command.Flags().BoolVar(&p.AnyRoot, "any-root", false, "publish an image whose machines will take no further update from this repository")
	command.RunE = func(cmd *cobra.Command, args []string) error {
		return f.change(cmd, args[0], func(ctx context.Context, r *repository.Repository) error {
			info, err := r.Publish(ctx, args[1], p)
			if err != nil {
				return err
			}
			state := "published"
			if p.Offline {
				state = "signed, and to be announced with stele repo expire"
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s %s for %s: %s, root hash %s\n", info.Name, info.Version, info.Architecture, state, info.RootHash)
			return nil
		})
	}
	return command
}

func newRepoRemoveCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "remove DIR --version VERSION --keys KEYDIR",
		Short: "Take a version out of a repository",
		Long:  "Take a version out of a repository. Machines that run it keep it; others do not find it any more.",
		Args:  cobra.ExactArgs(1),
	}
	f, s := signingFlags(command), selectorFlags(command)
	keep := command.Flags().Bool("keep-file", false, "leave the bundle where it is, for machines that are fetching it")
	command.RunE = func(cmd *cobra.Command, args []string) error {
		return f.change(cmd, args[0], func(ctx context.Context, r *repository.Repository) error {
			gone, err := r.Remove(ctx, *s, *keep)
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s: removed\n", gone.TargetName())
			return nil
		})
	}
	return command
}
