// Package rootfs is what lies on every root, as data: the empty directories over which the agent mounts something, and the links.
// The programs and files beside them come from the build (builder/tree.NewBase); api/v1alpha1 names their paths.
//
// base.listing is the finished root of an image without additions: path, mode, owner, kind. builder/tree's TestBaseListing compares it
// with what the builder makes, so a file that appears on the root appears in a diff of this folder first.
package rootfs

import "github.com/stele-os/stele/api/v1alpha1"

// Link is a symbolic link of the root.
type Link struct {
	Path, Target string
}

// MountPoints are empty on the root (Filesystem Hierarchy Standard 3.0, sections 3 and 6.1; /efi: UAPI Boot Loader Specification, "Mount points").
var MountPoints = []string{"/proc", "/sys", "/dev", "/run", "/tmp", "/var", "/efi"}

// Links of the root. What /etc says about the network changes at run time, so it lies under /run.
var Links = []Link{
	{"/sbin/init", v1alpha1.AgentPath}, // where the kernel looks first
	{v1alpha1.ShimPath, v1alpha1.AgentPath},
	{"/etc/resolv.conf", "/run/stele/resolv.conf"},
	{"/etc/hosts", "/run/stele/hosts"},
}
