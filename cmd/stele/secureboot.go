package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/stele-os/stele/builder/secureboot"
	"github.com/stele-os/stele/internal/hint"
)

func newSecureBootCommand() *cobra.Command {
	command := &cobra.Command{Use: "secureboot", Short: "Make the keys of UEFI Secure Boot"}
	command.AddCommand(newSecureBootInitCommand())
	return command
}

func newSecureBootInitCommand() *cobra.Command {
	o := secureboot.Options{Sources: map[string]string{}, Certificates: map[string]string{}, Also: map[string][]string{}}
	var keys, certificates, also []string
	var days int
	var passphraseFile string
	command := &cobra.Command{
		Use:   "init DIR",
		Short: "Make PK, KEK and db, and the signed variables that enrol them",
		Long: `Make PK, KEK and db, and the signed variables that enrol them.

PK (platform key) may replace KEK; KEK (key exchange key) may change db; db signs what machines start. Builds need the db key and the
.auth files; keep PK.key and KEK.key offline once they are made. Keys are RSA of 2048 bits, each in a PEM file that is encrypted
by a passphrase, unless flags say otherwise. A key that exists is named with --key NAME=FILE or, in a token or a key management
service, --key NAME=exec:COMMAND, with --cert NAME=FILE for its certificate.

--also puts what others have signed into a variable, such as the certificates of hardware vendors in db for the option ROMs of
their cards: docs/secure-boot.md.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			passphrases, err := newPassphrases(passphraseFile)
			if err != nil {
				return err
			}
			o.Dir, o.Passphrase, o.Now, o.Lifetime = args[0], passphrases.get, time.Now(), time.Duration(days)*24*time.Hour
			err = eachVariable(keys, "--key", secureboot.Keys, func(name, value string) { o.Sources[name] = value })
			if err == nil {
				err = eachVariable(certificates, "--cert", secureboot.Keys, func(name, value string) { o.Certificates[name] = value })
			}
			if err == nil {
				err = eachVariable(also, "--also", []string{secureboot.KEK, secureboot.DB, secureboot.DBX}, func(name, value string) { o.Also[name] = append(o.Also[name], value) })
			}
			if err == nil {
				err = secureboot.Init(cmd.Context(), o)
			}
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s: keys and signed variables of Secure Boot\nbuild with: stele build DEFINITION --secure-boot %s\nPK.key and KEK.key are not needed for that: keep them offline\n", o.Dir, o.Dir)
			return nil
		},
	}
	flags := command.Flags()
	flags.StringVar(&o.Name, "name", "Stele", "begins the names in new certificates")
	flags.StringArrayVar(&keys, "key", nil, "`NAME=SOURCE`: a key that exists, a PEM file or exec:COMMAND; NAME is PK, KEK or db (can be given more than once)")
	flags.StringArrayVar(&certificates, "cert", nil, "`NAME=FILE`: the certificate of a key that exists (default: a new one)")
	flags.StringArrayVar(&also, "also", nil, "`NAME=FILE`: a certificate, or an EFI program whose digest counts, to put into KEK, db or dbx beside ours")
	flags.IntVar(&days, "days", 3650, "how long new certificates hold; builds refuse expired ones, firmware does not look")
	flags.BoolVar(&o.Unencrypted, "unencrypted", false, "make key files without passphrase")
	flags.StringVar(&passphraseFile, "passphrase-file", "", "file with the passphrase of key files (default STELE_PASSPHRASE, else it is asked for)")
	return command
}

// eachVariable takes NAME=VALUE apart.
func eachVariable(texts []string, flag string, names []string, each func(name, value string)) error {
	for _, text := range texts {
		name, value, _ := strings.Cut(text, "=")
		if value == "" || !slices.Contains(names, name) {
			return hint.New(fmt.Errorf("cannot use %s %q: it is not NAME=VALUE", flag, text), "NAME is one of "+strings.Join(names, ", "))
		}
		each(name, value)
	}
	return nil
}
