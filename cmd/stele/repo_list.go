package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/stele-os/stele/builder/repository"
)

func newRepoListCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "list DIR",
		Short: "Show what a repository holds: roles with keys and expiry, and versions",
		Args:  cobra.ExactArgs(1),
	}
	format := command.Flags().StringP("output", "o", "table", "table or json")
	command.RunE = func(cmd *cobra.Command, args []string) error {
		r, err := repository.Read(readOptions(cmd, args[0]))
		if err != nil {
			return err
		}
		listing, err := r.List()
		if err != nil {
			return err
		}
		switch *format {
		case "table":
			return listing.Write(cmd.OutOrStdout())
		case "json":
			e := json.NewEncoder(cmd.OutOrStdout())
			e.SetIndent("", "  ")
			return e.Encode(listing)
		}
		return fmt.Errorf("cannot print as %q: formats are table, json", *format)
	}
	return command
}

func newRepoExportCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "export DIR --version VERSION --file FILE",
		Short: "Write one version and the metadata that proves it into one file, for machines without a way to the repository",
		Args:  cobra.ExactArgs(1),
	}
	s := selectorFlags(command)
	file := command.Flags().StringP("file", "f", "", "file to write (required)")
	_ = command.MarkFlagRequired("file") // fails for an unknown flag only
	command.RunE = func(cmd *cobra.Command, args []string) error {
		r, err := repository.Read(readOptions(cmd, args[0]))
		if err != nil {
			return err
		}
		b, err := r.Export(cmd.Context(), *s, *file)
		if err != nil {
			return err
		}
		fmt.Fprintf(cmd.OutOrStdout(), "%s: %s %s for %s\n", *file, b.Name, b.Version, b.Architecture)
		return nil
	}
	return command
}
