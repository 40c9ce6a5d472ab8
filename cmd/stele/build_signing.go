package main

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/stele-os/stele/builder"
)

// signingImageFlags adds the flags of a build that signs, and returns what reads them.
func signingImageFlags(command *cobra.Command) func() (builder.SecureBoot, error) {
	var o builder.SecureBoot
	var passphraseFile string
	flags := command.Flags()
	flags.StringVar(&o.Dir, "secure-boot", "", "sign for Secure Boot with the keys of this `DIR`")
	flags.StringVar(&o.Key, "secure-boot-key", "", "the db key where it is not in DIR: a `FILE` or exec:COMMAND")
	flags.StringVar(&o.Enroll, "secure-boot-enroll", "", "which machines in setup mode enrol by themselves: if-safe (default; virtual ones), force (all), manual or off (none)")
	flags.StringVar(&passphraseFile, "passphrase-file", "", "file with the passphrase of the db key (default STELE_PASSPHRASE, else it is asked for)")
	return func() (builder.SecureBoot, error) {
		passphrases, err := newPassphrases(passphraseFile)
		if err != nil {
			return o, err
		}
		o.Passphrase, o.Now = passphrases.get, time.Now()
		return o, nil
	}
}
