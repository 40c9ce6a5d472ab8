package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/stele-os/stele/builder/repository"
)

func newRepoCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "repo",
		Short: "Publish images as updates in a repository that any web server can serve",
		Long: `Publish images as updates in a repository that any web server can serve.

A repository is a directory of files (The Update Framework): signed metadata and one bundle a version. There is no
server program: copy or serve the directory as it is. docs/update-repository.md explains roles, keys and expiry.`,
	}
	command.AddCommand(newRepoInitCommand(), newRepoPublishCommand(), newRepoListCommand(), newRepoExpireCommand(), newRepoRotateKeyCommand(),
		newRepoRemoveCommand(), newRepoExportCommand(), newRepoServeCommand())
	return command
}

// repoFlags are what commands that sign have in common.
type repoFlags struct {
	keys           []string
	passphraseFile string
	unencrypted    bool
	expires        repository.Expires
}

func signingFlags(command *cobra.Command) *repoFlags {
	f := &repoFlags{expires: repository.DefaultExpires()}
	flags := command.Flags()
	flags.StringArrayVar(&f.keys, "keys", nil, "where private keys are: a directory, a key file or exec:COMMAND (can be given more than once)")
	flags.StringVar(&f.passphraseFile, "passphrase-file", "", "`FILE` with the key files' passphrase (default: $STELE_PASSPHRASE, or ask on the terminal)")
	flags.Var(f.expires, "expires", "how long new signatures are valid, such as timestamp=36h,targets=90d")
	return f
}

// newKeyFlags are for commands that can make key files.
func newKeyFlags(command *cobra.Command, f *repoFlags) {
	command.Flags().BoolVar(&f.unencrypted, "unencrypted", false, "make key files without passphrase")
}

// options puts together what a command needs to sign.
func (f *repoFlags) options(cmd *cobra.Command, dir string) (repository.Options, error) {
	o := readOptions(cmd, dir)
	o.Expires = f.expires
	passphrases, err := newPassphrases(f.passphraseFile)
	if err != nil {
		return o, err
	}
	o.Keys = &repository.Keyring{Passphrase: passphrases.get, Unencrypted: f.unencrypted, Random: rand.Reader}
	for _, source := range f.keys {
		if err := o.Keys.Add(cmd.Context(), source); err != nil {
			return o, err
		}
	}
	return o, nil
}

func readOptions(cmd *cobra.Command, dir string) repository.Options {
	return repository.Options{Dir: dir, Now: time.Now, Report: func(line string) { fmt.Fprintln(cmd.ErrOrStderr(), line) }}
}

// change opens a repository, changes it and closes it.
func (f *repoFlags) change(cmd *cobra.Command, dir string, do func(ctx context.Context, r *repository.Repository) error) error {
	o, err := f.options(cmd, dir)
	if err != nil {
		return err
	}
	r, err := repository.Open(o)
	if err != nil {
		return err
	}
	defer r.Close()
	return do(cmd.Context(), r)
}

// selectorFlags name one bundle.
func selectorFlags(command *cobra.Command) *repository.Selector {
	s := &repository.Selector{}
	flags := command.Flags()
	flags.StringVar(&s.Version, "version", "", "version of the image")
	flags.StringVar(&s.Name, "name", "", "name of the image, where there are several")
	flags.StringVar(&s.Architecture, "arch", "", "architecture, where there are several")
	_ = command.MarkFlagRequired("version") // fails for an unknown flag only
	return s
}
