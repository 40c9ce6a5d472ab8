package command

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stele-os/stele/internal/hint"
	"github.com/stele-os/stele/operator/contexts"
	"github.com/stele-os/stele/operator/node"
	"github.com/stele-os/stele/operator/show"
)

// apiPort of machines whose document gives none (agent/plan.DefaultAPIPort).
const apiPort = "7835"

func newTrustCommand() *cobra.Command {
	var fingerprint string
	command := &cobra.Command{
		Use:   "trust NAME ADDRESS[:PORT]",
		Short: "Pin a machine's key, by the fingerprint on its console",
		Long: `Pin a machine's key. The fingerprint stands on the machine's console and in its boot report ("api: port 7835, fingerprint SHA256:...").

With --fingerprint the machine must show that key; without, the command shows what the machine at the address presents and asks.`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return trust(cmd.InOrStdin(), cmd.OutOrStdout(), args[0], args[1], fingerprint)
		},
	}
	command.Flags().StringVar(&fingerprint, "fingerprint", "", "what the console says (SHA256:...)")
	return command
}

func trust(in io.Reader, out io.Writer, name, address, fingerprint string) error {
	if _, _, err := net.SplitHostPort(address); err != nil {
		address = net.JoinHostPort(strings.Trim(address, "[]"), apiPort)
	}
	shown, err := node.Show(address)
	if err != nil {
		return hint.New(err, "is the machine up, and does its document name spec.api.clientCAs?")
	}
	got := node.Fingerprint(shown)
	switch {
	case fingerprint != "" && got != fingerprint:
		return &node.MismatchError{Node: name, Pinned: fingerprint, Got: got}
	case fingerprint == "":
		fmt.Fprintf(out, "%s shows %s (%s)\nIs this what its console says? [y/N] ", address, got, show.Clean(shown.Subject.CommonName))
		answer, err := bufio.NewReader(in).ReadString('\n')
		if word := strings.ToLower(strings.TrimSpace(answer)); word != "y" && word != "yes" {
			return hint.New(errors.Join(errors.New("the machine is not trusted"), ignoreEOF(err)), "read the fingerprint off its console and give it with --fingerprint")
		}
	}
	file, err := contexts.Load(contexts.DefaultPath())
	if err != nil {
		return err
	}
	file.PutNode(contexts.Node{Name: name, Address: address, Fingerprint: got})
	if err := file.Save(); err != nil {
		return err
	}
	fmt.Fprintf(out, "node %s at %s is trusted by its key, in %s\n", name, address, file.Path())
	return nil
}

func ignoreEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}
