package system

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// cardReset is WDIOF_CARDRESET (include/uapi/linux/watchdog.h): the watchdog ended the boot before.
const cardReset = 0x20

// WatchdogReset tells whether a watchdog below root ("/" on the machine) says that it ended the boot before. Many cannot say it.
func WatchdogReset(root string) bool {
	for _, d := range listWatchdogs(root) {
		content, err := os.ReadFile(filepath.Join(root, "sys/class/watchdog", d.name, "bootstatus"))
		if err == nil && decodeBootStatus(string(content))&cardReset != 0 {
			return true
		}
	}
	return false
}

// decodeBootStatus takes the number of Documentation/ABI/testing/sysfs-class-watchdog, bootstatus; what is none gives 0.
func decodeBootStatus(content string) uint64 {
	n, _ := strconv.ParseUint(strings.TrimSpace(content), 0, 32)
	return n
}

// BootID is the kernel's name for this boot below proc ("/proc" on the machine; random(4)).
func BootID(proc string) (string, error) {
	content, err := os.ReadFile(filepath.Join(proc, "sys/kernel/random/boot_id"))
	id := strings.TrimSpace(string(content))
	if err != nil || id == "" {
		return "", fmt.Errorf("cannot read the boot id: %w", cmp.Or(err, os.ErrNotExist))
	}
	return id, nil
}
