package main

import (
	"fmt"
	"io"
	"os"

	"github.com/goccy/go-yaml"
	"github.com/spf13/cobra"

	"github.com/stele-os/stele/agent/config"
	"github.com/stele-os/stele/agent/plan"
	"github.com/stele-os/stele/docs"
)

func newConfigCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "config",
		Short: "Check configuration documents and show what a machine would do with them",
		Long:  "Check configuration documents and show what a machine would do with them.\n\nThe agent's own code runs: what is accepted here is accepted by a machine with the same facts.",
	}
	command.AddCommand(newConfigCheckCommand(), newConfigPlanCommand(), newConfigSchemaCommand())
	return command
}

func newConfigCheckCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "check FILE...",
		Short: "Check documents; print every problem as FILE:line:column: path: message",
		Args:  cobra.MinimumNArgs(1),
	}
	factsFile := factsFlag(command)
	command.RunE = func(cmd *cobra.Command, files []string) error {
		for _, file := range files {
			if _, err := evaluate(cmd.ErrOrStderr(), file, *factsFile); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s: ok\n", file)
		}
		return nil
	}
	return command
}

func newConfigPlanCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "plan FILE",
		Short: "Print the desired state that a document means: every default filled in, every quantity a number",
		Args:  cobra.ExactArgs(1),
	}
	factsFile := factsFlag(command)
	command.RunE = func(cmd *cobra.Command, files []string) error {
		desired, err := evaluate(cmd.ErrOrStderr(), files[0], *factsFile)
		if err != nil {
			return err
		}
		return yaml.NewEncoder(cmd.OutOrStdout(), yaml.IndentSequence(true)).Encode(desired)
	}
	return command
}

func newConfigSchemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of the configuration document, for editors",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := cmd.OutOrStdout().Write(docs.MachineSchema)
			return err
		},
	}
}

func factsFlag(command *cobra.Command) *string {
	return command.Flags().String("facts", "", "`FILE` with what the machine knows about itself (baked images, the platform's hostname)")
}

// evaluate runs the agent's chain on a file and prints its problems.
func evaluate(stderr io.Writer, file, factsFile string) (plan.Desired, error) {
	var facts plan.Facts
	if factsFile != "" {
		data, err := os.ReadFile(factsFile)
		if err != nil {
			return plan.Desired{}, fmt.Errorf("cannot read facts: %w", err)
		}
		var problems []config.Problem
		if facts, problems = config.DecodeFacts(data, factsFile); problems != nil {
			return plan.Desired{}, config.Report(stderr, factsFile, problems)
		}
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return plan.Desired{}, fmt.Errorf("cannot read document: %w", err)
	}
	desired, problems := config.Evaluate(config.Input{User: data, UserSource: file}, facts)
	return desired, config.Report(stderr, file, problems)
}
