package command

import (
	"github.com/spf13/cobra"

	"github.com/stele-os/stele/operator/contexts"
)

// completeNames completes a flag with names from the contexts file.
func completeNames(command *cobra.Command, flag string, list func(*contexts.File) []string) {
	_ = command.RegisterFlagCompletionFunc(flag, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return known(list)
	})
}

func known(list func(*contexts.File) []string) ([]string, cobra.ShellCompDirective) {
	file, err := contexts.Load(contexts.DefaultPath())
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	return list(file), cobra.ShellCompDirectiveNoFileComp
}

func nodeNames(f *contexts.File) []string {
	return names(f.Nodes, func(n contexts.Node) string { return n.Name })
}

func contextNames(f *contexts.File) []string {
	return names(f.Contexts, func(c contexts.Context) string { return c.Name })
}

func names[T any](items []T, name func(T) string) []string {
	var all []string
	for _, item := range items {
		all = append(all, name(item))
	}
	return all
}
