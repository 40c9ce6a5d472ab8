package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stele-os/stele/builder/repository"
)

func newRepoInitCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "init DIR --keys KEYDIR",
		Short: "Make an empty repository and its keys",
		Long: `Make an empty repository and its keys.

Each role gets one key, in a file of KEYDIR that is encrypted by a passphrase, unless flags say otherwise. A role with
several keys can ask for a number of signatures (its threshold), so that one lost or stolen key is no disaster.
A key that lies in a token or a key management service is named with --key ROLE=exec:COMMAND.

The root of trust for image definitions (update.root) is DIR/metadata/1.root.json.`,
		Args: cobra.ExactArgs(1),
	}
	f := signingFlags(command)
	newKeyFlags(command, f)
	sources := command.Flags().StringArray("key", nil, "ROLE=SOURCE: a key that exists, a key file or exec:COMMAND (can be given more than once)")
	numbers := map[string]*repository.RoleKeys{}
	for _, role := range repository.Roles {
		keys := &repository.RoleKeys{}
		numbers[role] = keys
		command.Flags().IntVar(&keys.Make, role+"-keys", 0, "how many keys to make for "+role+" (default 1, if it has no --key)")
		command.Flags().IntVar(&keys.Threshold, role+"-threshold", 1, "how many keys must sign "+role)
	}
	command.RunE = func(cmd *cobra.Command, args []string) error {
		for _, text := range *sources {
			role, source, err := splitKey(text)
			if err != nil {
				return err
			}
			numbers[role].Sources = append(numbers[role].Sources, source)
		}
		roles := map[string]repository.RoleKeys{}
		for role, keys := range numbers {
			roles[role] = *keys
		}
		o, err := f.options(cmd, args[0])
		if err != nil {
			return err
		}
		if err := repository.Init(cmd.Context(), o, roles); err != nil {
			return err
		}
		fmt.Fprintf(cmd.OutOrStdout(), "%s: an empty repository; its root of trust is %s\n", args[0], filepath.Join(args[0], "metadata", "1.root.json"))
		return nil
	}
	return command
}

// splitKey takes ROLE=SOURCE apart.
func splitKey(text string) (role, source string, err error) {
	role, source, _ = strings.Cut(text, "=")
	for _, known := range repository.Roles {
		if role == known && source != "" {
			return role, source, nil
		}
	}
	return "", "", fmt.Errorf("cannot use key %q: it is not ROLE=SOURCE with one of the roles %s", text, strings.Join(repository.Roles, ", "))
}
