package config

import (
	"math"
	"slices"
	"strings"

	"github.com/stele-os/stele/api/v1alpha1"
	"github.com/stele-os/stele/internal/strictyaml"
)

// maxID is the largest user or group id of Linux that means somebody: (uid_t)-1 means "no change" (setreuid(2)).
const maxID = math.MaxUint32 - 1

// capabilities are those of Linux 6.12 (include/uapi/linux/capability.h) without their prefix, in the kernel's order.
var capabilities = strings.Fields(`CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE
	NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT
	SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE
	MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE`)

func (c *checker) security(path string, doc v1alpha1.SecurityContext) {
	c.id(path+".runAsUser", doc.RunAsUser)
	c.id(path+".runAsGroup", doc.RunAsGroup)
	c.capabilities(path+".capabilities.add", doc.Capabilities.Add)
	c.capabilities(path+".capabilities.drop", doc.Capabilities.Drop)
}

func (c *checker) id(path string, id *int64) {
	if id != nil && (*id < 0 || *id > maxID) {
		c.problem(path, "%d is not a user or group id: give one from 0 to %d", *id, int64(maxID))
	}
}

func (c *checker) capabilities(path string, names []string) {
	for i, name := range names {
		path := strictyaml.Index(path, i)
		bare := strings.TrimPrefix(strings.ToUpper(name), "CAP_")
		switch known := bare == "ALL" || slices.Contains(capabilities, bare); {
		case known && bare != name:
			c.problem(path, "write %q as %q", name, bare)
		case !known:
			c.problem(path, "%q is not a capability of Linux: they are written as \"NET_BIND_SERVICE\", and \"ALL\" stands for all of them", name)
		}
	}
}
