package main

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/stele-os/stele/test/qemu/machine"
)

func newRunCommand() *cobra.Command {
	var o machine.RunOptions
	var stop bool
	command := &cobra.Command{
		Use:   "run [IMAGE-DIR]",
		Short: "Boot a built image in QEMU and wait until its container answers",
		Long: `Boot the image that "stele build" wrote (default: build/x86_64) in QEMU, with a configuration document, on a copy of its disk.

Without --config the machine runs the demo's container and takes calls of its API: a CA and an identity for it are made in the run's directory,
its key is trusted by the fingerprint on its console, and all of it stands in a contexts file there (--contexts: in another one). With a document of
your own, the port of its spec.api is forwarded.

Prints what the machine says while it starts, and as soon as the URL answers: the URL on this host, boot time by stage, how to call the API, where
disk and console log lie, how to stop. QEMU is given KVM where that works, else its own emulation; STELE_QEMU_ACCEL=kvm|tcg decides.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.ImageDir, o.Program = "build/x86_64", os.Args[0]
			if len(args) > 0 {
				o.ImageDir = args[0]
			}
			if stop {
				return machine.Stop(cmd.Context(), o, cmd.OutOrStdout())
			}
			return machine.Run(cmd.Context(), o, cmd.OutOrStdout())
		},
	}
	flags := command.Flags()
	flags.StringVar(&o.Config, "config", "", "configuration document (default: the demo container's)")
	flags.IntVar(&o.MemoryMiB, "memory", 1024, "memory of the machine in MiB")
	flags.IntVar(&o.CPUs, "cpus", 2, "processors of the machine")
	flags.StringArrayVar(&o.Ports, "port", nil, "forward HOST:GUEST on 127.0.0.1, HOST 0 for a free one (default: 8080 or a free one, to 8080)")
	flags.StringVar(&o.Wait, "wait", "/healthz", "path that must answer on the first forwarded port; empty: wait for the boot report only")
	flags.DurationVar(&o.Timeout, "timeout", machine.DefaultTimeout, "how long to wait for the answer")
	flags.BoolVar(&o.DirectKernel, "direct-kernel", false, "start the kernel without firmware and boot loader")
	flags.BoolVar(&o.SecureBoot, "secure-boot", false, "start with firmware that does Secure Boot, in setup mode at first: the machine enrols the image's keys and restarts")
	flags.StringVar(&o.Dir, "dir", "", "directory for console log and disk (default: IMAGE-DIR/run)")
	flags.BoolVar(&o.Persist, "persist", false, "keep the disk of the previous run")
	flags.BoolVar(&o.Detach, "detach", false, "leave the machine running and return")
	flags.StringVar(&o.Contexts, "contexts", "", "contexts file that the machine is put into (default: api/contexts.yaml in --dir); only without --config")
	flags.StringVar(&o.Node, "node", "demo", "name of the machine in the contexts file")
	flags.BoolVar(&stop, "stop", false, "stop the machine that --detach left running, and start none")
	return command
}
