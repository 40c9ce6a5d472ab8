package assemble

import (
	"fmt"
	"strings"

	"github.com/stele-os/stele/internal/verity"
)

// maxCommandLine is COMMAND_LINE_SIZE of x86 and arm64 (arch/*/include/uapi/asm/setup.h), with its terminating zero.
const maxCommandLine = 2048

// ownWords start every command line. "gpt" lets the kernel read the backup of a damaged partition table (block/partitions/efi.c
// looks at it only then), which an interrupted change of the table relies on.
const ownWords = "root=/dev/dm-0 ro rootfstype=erofs gpt"

// reservedWords would defeat ours, or the way back to the old version: a machine that waits for a missing partition hangs
// instead of falling back, so nothing may wait.
var reservedWords = []string{"root", "ro", "rw", "rootfstype", "rootflags", "rootwait", "rootdelay", "init", "initrd", "rdinit",
	"dm-mod.create", "dm-mod.waitfor", "gpt"}

// CommandLine gives the kernel command line: the root and how it is verified, then the words of the definition.
func CommandLine(v Verity, words []string) (string, error) {
	table := verity.Table{
		DataDevice: "PARTUUID=" + v.RootGUID().String(), HashDevice: "PARTUUID=" + v.HashGUID().String(),
		DataBlocks: v.DataBlocks, RootHash: v.RootHash, Salt: salt,
	}
	for _, w := range words {
		if w == "" || strings.ContainsFunc(w, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' }) {
			return "", fmt.Errorf("cannot use kernel command line word %q: only printable ASCII without spaces and quotes is allowed", w)
		}
		key, _, _ := strings.Cut(w, "=")
		for _, reserved := range reservedWords {
			if strings.ReplaceAll(key, "_", "-") == reserved {
				return "", fmt.Errorf("cannot use kernel command line word %q: the builder sets or forbids %q", w, reserved)
			}
		}
	}
	line := strings.Join(append([]string{ownWords, table.CreateArgument("root")}, words...), " ")
	if len(line) >= maxCommandLine {
		return "", fmt.Errorf("cannot use kernel command line: it has %d bytes, the kernel takes %d", len(line), maxCommandLine-1)
	}
	return line, nil
}
