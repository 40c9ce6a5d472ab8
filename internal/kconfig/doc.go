// Package kconfig reads Linux kernel configuration: fragments that say what is wanted and why, and the .config that came of them.
//
// It is not an implementation of the Kconfig language: which option depends on which is decided by the kernel's own
// `make allnoconfig`. This package prepares the input for it and judges the result.
//
// A fragment is a text of lines, each blank, a comment from its first byte, or one option with its reason:
//
//	CONFIG_NAME=value  # why this kernel has it
//	CONFIG_NAME=value  # override: why this fragment knows better than an earlier one
//
// value is y, n, a decimal or hexadecimal number, or a string in double quotes (Documentation/kbuild/kconfig-language.rst,
// "Menu attributes", types). m is refused: the kernels this is for have no modules.
//
// Invariants, each held by a test of this package: an option without a reason is an error; every error carries
// fragment:line, and all errors of a fragment come at once; a fragment that contradicts an earlier one without saying so is
// an error; Check names every option that the kernel dropped.
//
// Rejected: the kernel's own scripts/kconfig/merge_config.sh. It only warns when fragments contradict each other or an
// option does not survive, knows no reasons, and needs a shell.
package kconfig
