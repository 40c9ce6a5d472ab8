package command

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stele-os/stele/operator/contexts"
	"github.com/stele-os/stele/operator/show"
)

// Contexts is `stele context`: which machines are called, and as whom.
func Contexts() *cobra.Command {
	command := &cobra.Command{
		Use:   "context",
		Short: "Say which machines are called, and as whom",
		Long: `Say which machines are called, and as whom: one file holds machines, identities and contexts, as kubeconfig does.

The file is STELE_CONTEXTS, else stele/contexts.yaml in the user's configuration directory.`,
	}
	command.AddCommand(newContextListCommand(), newContextUseCommand(), newContextSetCommand(), newContextAddCommand(), newContextRemoveCommand())
	return command
}

// edit loads the contexts file, changes it and saves it.
func edit(change func(*contexts.File) error) error {
	file, err := contexts.Load(contexts.DefaultPath())
	if err != nil {
		return err
	}
	if err := change(file); err != nil {
		return err
	}
	return file.Save()
}

func newContextListCommand() *cobra.Command {
	return &cobra.Command{Use: "list", Short: "List contexts, machines and identities", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		file, err := contexts.Load(contexts.DefaultPath())
		if err != nil {
			return err
		}
		var rows [][]string
		for _, c := range file.Contexts {
			name := c.Name
			if name == file.Current {
				name += " *"
			}
			rows = append(rows, []string{name, strings.Join(c.Nodes, ", "), c.Identity})
		}
		out := cmd.OutOrStdout()
		if err := show.Table(out, []string{"CONTEXT", "NODES", "IDENTITY"}, rows); err != nil {
			return err
		}
		rows = nil
		for _, n := range file.Nodes {
			by := n.Fingerprint
			if n.CAFile != "" {
				by = "CA " + n.CAFile
			}
			rows = append(rows, []string{n.Name, n.Address, by})
		}
		fmt.Fprintln(out)
		if err := show.Table(out, []string{"NODE", "ADDRESS", "TRUSTED BY"}, rows); err != nil {
			return err
		}
		rows = nil
		for _, i := range file.Identities {
			rows = append(rows, []string{i.Name, i.CertificateFile})
		}
		fmt.Fprintln(out)
		return show.Table(out, []string{"IDENTITY", "CERTIFICATE"}, rows)
	}}
}

func newContextUseCommand() *cobra.Command {
	return &cobra.Command{Use: "use NAME", Short: "Make a context the current one", Args: cobra.ExactArgs(1),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return known(contextNames)
		},
		RunE: func(_ *cobra.Command, args []string) error {
			return edit(func(f *contexts.File) error { return f.Use(args[0]) })
		}}
}

func newContextSetCommand() *cobra.Command {
	var c contexts.Context
	command := &cobra.Command{Use: "set NAME", Short: "Make or replace a context", Args: cobra.ExactArgs(1), RunE: func(_ *cobra.Command, args []string) error {
		return edit(func(f *contexts.File) error {
			for _, name := range c.Nodes {
				if _, err := f.Node(name); err != nil {
					return err
				}
			}
			if _, err := f.Identity(c.Identity); err != nil {
				return err
			}
			c.Name = args[0]
			f.PutContext(c)
			return nil
		})
	}}
	command.Flags().StringSliceVarP(&c.Nodes, "node", "n", nil, "machines of the context")
	command.Flags().StringVar(&c.Identity, "identity", "", "who calls them")
	completeNames(command, "node", nodeNames)
	return command
}

func newContextAddCommand() *cobra.Command {
	n := contexts.Node{}
	command := &cobra.Command{Use: "add-node NAME ADDRESS:PORT", Short: "Add a machine that is verified by a CA (stele node trust adds one by its key)", Args: cobra.ExactArgs(2),
		RunE: func(_ *cobra.Command, args []string) error {
			n.Name, n.Address = args[0], args[1]
			return edit(func(f *contexts.File) error { f.PutNode(n); return nil })
		}}
	command.Flags().StringVar(&n.CAFile, "ca", "", "`FILE` with the CA's certificate")
	command.Flags().StringVar(&n.ServerName, "server-name", "", "name in the machine's certificate (default: the address's host)")
	_ = command.MarkFlagRequired("ca")
	return command
}

func newContextRemoveCommand() *cobra.Command {
	return &cobra.Command{Use: "remove context|node|identity NAME", Short: "Remove an entry", Args: cobra.ExactArgs(2), ValidArgs: []string{"context", "node", "identity"},
		RunE: func(_ *cobra.Command, args []string) error {
			return edit(func(f *contexts.File) error {
				remove := map[string]func(string) bool{"context": f.RemoveContext, "node": f.RemoveNode, "identity": f.RemoveIdentity}[args[0]]
				if remove == nil {
					return fmt.Errorf("there is no kind of entry %q: say context, node or identity", args[0])
				}
				if !remove(args[1]) {
					return fmt.Errorf("there is no %s %q", args[0], args[1])
				}
				return nil
			})
		}}
}
