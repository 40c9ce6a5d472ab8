package command

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/stele-os/stele/operator/contexts"
	"github.com/stele-os/stele/operator/pki"
)

// PKI is `stele pki`: the operator's small CA.
func PKI() *cobra.Command {
	command := &cobra.Command{
		Use:   "pki",
		Short: "Make the CA whose certificates may call machines, and issue short-lived ones",
		Long: `Make the CA whose certificates may call machines, and issue short-lived ones.

The CA's certificate is public: it stands in documents as spec.api.clientCAs. Its key stays with the operator. A certificate carries one role:
reader (look), operator (change, update, restart) or admin (also reset, the machine's own certificate, the CAs, the audit log).`,
	}
	command.AddCommand(newPKIInitCommand(), newPKIIssueCommand())
	return command
}

func pkiFlags(command *cobra.Command, dir *string) {
	command.Flags().StringVar(dir, "dir", filepath.Join(filepath.Dir(contexts.DefaultPath()), "pki"), "directory of the CA")
	command.Flags().Lookup("dir").DefValue = "pki beside the contexts file"
}

func newPKIInitCommand() *cobra.Command {
	var dir, name string
	var lifetime time.Duration
	command := &cobra.Command{
		Use:   "init",
		Short: "Make a CA",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if _, err := pki.Init(dir, name, lifetime, time.Now()); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "made a CA in %s: put %s into documents as spec.api.clientCAs; keep %s\n", dir, pki.CertificateFile, pki.KeyFile)
			return nil
		},
	}
	pkiFlags(command, &dir)
	command.Flags().StringVar(&name, "name", "Stele operators", "common name of the CA")
	command.Flags().DurationVar(&lifetime, "lifetime", 5*365*24*time.Hour, "lifetime of the CA's certificate")
	return command
}

func newPKIIssueCommand() *cobra.Command {
	var dir, out string
	c := pki.Client{}
	command := &cobra.Command{
		Use:   "issue",
		Short: "Issue a client certificate and make it an identity",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			authority, err := pki.Load(dir)
			if err != nil {
				return err
			}
			certificate, key, err := authority.Issue(c, time.Now())
			if err != nil {
				return err
			}
			if out == "" {
				out = dir
			}
			identity, err := writeIdentity(out, c.Name, certificate, key)
			if err != nil {
				return err
			}
			file, err := contexts.Load(contexts.DefaultPath())
			if err != nil {
				return err
			}
			file.PutIdentity(identity)
			if err := file.Save(); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "identity %s: role %s, for %s, in %s\n", c.Name, c.Role, c.Lifetime, identity.CertificateFile)
			return nil
		},
	}
	pkiFlags(command, &dir)
	flags := command.Flags()
	flags.StringVar(&c.Name, "name", defaultName(), "who calls, as it stands in audit logs")
	flags.Lookup("name").DefValue = "the user's name"
	flags.StringVar(&c.Role, "role", "reader", strings.Join(pki.Roles, ", "))
	flags.DurationVar(&c.Lifetime, "ttl", 12*time.Hour, "lifetime")
	flags.StringVar(&out, "out", "", "directory for certificate and key (default: the CA's)")
	_ = command.RegisterFlagCompletionFunc("role", cobra.FixedCompletions(pki.Roles, cobra.ShellCompDirectiveNoFileComp))
	return command
}

func defaultName() string {
	if name := os.Getenv("USER"); name != "" {
		return name
	}
	return "operator"
}

// writeIdentity writes NAME.crt and NAME.key, over those of an earlier issue.
func writeIdentity(dir, name string, certificate, key []byte) (contexts.Identity, error) {
	if name == "" || strings.ContainsAny(name, "/\\") || strings.HasPrefix(name, ".") {
		return contexts.Identity{}, fmt.Errorf("cannot write identity: %q is no file name", name)
	}
	if strings.EqualFold(name+".key", pki.KeyFile) { // also where upper and lower case are one: the CA's own files may lie there
		return contexts.Identity{}, fmt.Errorf("cannot write identity: %q is the CA's name", name)
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return contexts.Identity{}, err
	}
	i := contexts.Identity{Name: name, CertificateFile: filepath.Join(dir, name+".crt"), KeyFile: filepath.Join(dir, name+".key")}
	err = errors.Join(os.MkdirAll(dir, 0o700), pki.Replace(i.KeyFile, key, 0o600), pki.Replace(i.CertificateFile, certificate, 0o644))
	if err != nil {
		return i, fmt.Errorf("cannot write identity: %w", err)
	}
	return i, nil
}
