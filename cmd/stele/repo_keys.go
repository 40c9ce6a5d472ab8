package main

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stele-os/stele/builder/repository"
	"github.com/stele-os/stele/internal/hint"
)

func newRepoExpireCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "expire DIR --keys KEYDIR",
		Short: "Sign roles anew so that they expire later, and announce what was signed offline",
		Long: `Sign roles anew so that they expire later, and announce what was signed offline.

Give this command to a timer where the online keys are, more often than timestamp expires. Machines refuse expired metadata:
somebody might be hiding a newer version from them.`,
		Args: cobra.ExactArgs(1),
	}
	f := signingFlags(command)
	roles := command.Flags().StringSlice("role", []string{"snapshot", "timestamp"}, "roles to sign: "+strings.Join(repository.Roles, ", "))
	command.RunE = func(cmd *cobra.Command, args []string) error {
		return f.change(cmd, args[0], func(ctx context.Context, r *repository.Repository) error { return r.Expire(ctx, *roles) })
	}
	return command
}

func newRepoRotateKeyCommand() *cobra.Command {
	var one repository.Rotation
	command := &cobra.Command{
		Use:   "rotate-key DIR --role ROLE --keys KEYDIR",
		Short: "Put a new key in the place of a role's old one",
		Long: `Put a new key in the place of a role's old one, in a new version of the root that the old and the new root keys sign.

The new key is made in the first KEYDIR, unless --key names one. With the old key at hand no client notices; without it (it
is lost) clients see an error for the moment between two file writes, and try again. After a theft of online keys rotate
snapshot and timestamp together: clients then forget what the thief may have signed.`,
		Args: cobra.ExactArgs(1),
	}
	f := signingFlags(command)
	newKeyFlags(command, f)
	flags := command.Flags()
	roles := flags.StringSlice("role", nil, "roles: "+strings.Join(repository.Roles, ", ")+" (required)")
	flags.StringVar(&one.Replace, "replace", "", "beginning of the `ID` of the key that goes, where the role has several")
	flags.BoolVar(&one.Add, "add", false, "add a key and keep the others")
	flags.IntVar(&one.Threshold, "threshold", 0, "how many keys must sign from now on (default: as before)")
	flags.StringVar(&one.Source, "key", "", "a key that exists instead of a new one: a key file or exec:COMMAND")
	_ = command.MarkFlagRequired("role") // fails for an unknown flag only
	command.RunE = func(cmd *cobra.Command, args []string) error {
		if len(*roles) > 1 && (one.Replace != "" || one.Source != "") {
			return hint.New(errors.New("cannot use --replace or --key for several roles"), "rotate one role at a time")
		}
		var all []repository.Rotation
		for _, role := range *roles {
			each := one
			each.Role = role
			all = append(all, each)
		}
		return f.change(cmd, args[0], func(ctx context.Context, r *repository.Repository) error { return r.Rotate(ctx, all) })
	}
	return command
}
