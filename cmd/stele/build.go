package main

import "github.com/spf13/cobra"

func newBuildCommand() *cobra.Command {
	return &cobra.Command{Use: "build"}
}
