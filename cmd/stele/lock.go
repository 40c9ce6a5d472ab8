package main

import "github.com/spf13/cobra"

func newLockCommand() *cobra.Command {
	return &cobra.Command{Use: "lock"}
}
