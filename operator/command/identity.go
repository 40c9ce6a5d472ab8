package command

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	nodev1 "github.com/stele-os/stele/api/node/v1"
	"github.com/stele-os/stele/operator/node"
	"github.com/stele-os/stele/operator/pki"
	"github.com/stele-os/stele/operator/show"
)

func newIdentityCommand(s *session) *cobra.Command {
	command := s.simple("identity", "Show a machine's certificate, or have it signed by one's own CA", func(ctx context.Context, c *node.Client, w io.Writer) error {
		answer, err := node.Ask(ctx, c.Identity.Get, &nodev1.GetIdentityRequest{})
		if err != nil {
			return err
		}
		if s.output != "table" {
			return show.Data(w, s.output, []show.Answer{{Node: c.Name, Message: answer}})
		}
		return said(w, c, answer.Fingerprint)
	})
	command.AddCommand(newIdentitySignCommand(s), newIdentityRequestCommand(s), newIdentityInstallCommand(s))
	return command
}

func newIdentitySignCommand(s *session) *cobra.Command {
	var dir string
	var ttl time.Duration
	sign := s.simple("sign", "Fetch a machine's signing request, sign it, and install the certificate", func(ctx context.Context, c *node.Client, w io.Writer) error {
		authority, err := pki.Load(dir)
		if err != nil {
			return err
		}
		request, err := node.Ask(ctx, c.Identity.CreateRequest, &nodev1.CreateIdentityRequestRequest{})
		if err != nil {
			return err
		}
		signed, err := authority.SignMachine([]byte(request.Request), ttl, time.Now())
		if err != nil {
			return err
		}
		if _, err = node.Ask(ctx, c.Identity.Install, &nodev1.InstallIdentityRequest{Certificates: string(signed)}); err != nil {
			return err
		}
		return said(w, c, "serves a certificate of "+dir+" for "+ttl.String())
	})
	pkiFlags(sign, &dir)
	sign.Flags().DurationVar(&ttl, "ttl", 90*24*time.Hour, "lifetime of the certificate")
	return sign
}

func newIdentityInstallCommand(s *session) *cobra.Command {
	return &cobra.Command{Use: "install FILE", Short: "Install a certificate, with its chain, that was signed elsewhere", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			chain, err := os.ReadFile(args[0])
			if err != nil {
				return fmt.Errorf("cannot read certificate: %w", err)
			}
			return s.withOne(cmd.Context(), func(ctx context.Context, c *node.Client) error {
				if _, err := node.Ask(ctx, c.Identity.Install, &nodev1.InstallIdentityRequest{Certificates: string(chain)}); err != nil {
					return err
				}
				return said(cmd.OutOrStdout(), c, "serves the certificate of "+args[0])
			})
		}}
}

func newIdentityRequestCommand(s *session) *cobra.Command {
	return s.simple("request", "Print a signing request (PKCS #10) for the machine's key", func(ctx context.Context, c *node.Client, w io.Writer) error {
		answer, err := node.Ask(ctx, c.Identity.CreateRequest, &nodev1.CreateIdentityRequestRequest{})
		if err == nil {
			_, err = fmt.Fprint(w, answer.Request)
		}
		return err
	})
}
