package containers

import (
	"path/filepath"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/stele-os/stele/agent/plan"
)

// shmSize is Docker's and Kubernetes' size of /dev/shm.
const shmSize = "size=65536k"

// mounts of every container, then its volumes, so that these may lie over the former. Sources are paths of the machine. Only volumes can hold programs: where the
// root is read only, too, nothing else that a container writes can be executed.
func mounts(s specification, around surroundings) []specs.Mount {
	all := []specs.Mount{
		{Destination: "/proc", Type: "proc", Source: "proc", Options: []string{"nosuid", "noexec", "nodev"}},
		{Destination: "/dev", Type: "tmpfs", Source: "tmpfs", Options: []string{"nosuid", "noexec", "strictatime", "mode=755", "size=65536k"}},
		{Destination: "/dev/pts", Type: "devpts", Source: "devpts", Options: []string{"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"}},
		{Destination: "/dev/shm", Type: "tmpfs", Source: "shm", Options: []string{"nosuid", "noexec", "nodev", "mode=1777", shmSize}},
		{Destination: "/dev/mqueue", Type: "mqueue", Source: "mqueue", Options: []string{"nosuid", "noexec", "nodev"}},
		{Destination: "/sys", Type: "sysfs", Source: "sysfs", Options: []string{"nosuid", "noexec", "nodev", "ro"}},
		{Destination: "/sys/fs/cgroup", Type: "cgroup", Source: "cgroup", Options: []string{"nosuid", "noexec", "nodev", "relatime", "ro"}},
	}
	for _, name := range etcFiles {
		all = append(all, specs.Mount{
			Destination: "/etc/" + name, Type: "bind", Source: filepath.Join(around.etcDir, name),
			Options: []string{"rbind", "ro", "nosuid", "nodev", "noexec"},
		})
	}
	for i, m := range s.Container.Mounts {
		all = append(all, volumeMount(m, s.Volumes[i]))
	}
	return all
}

func volumeMount(m plan.Mount, v plan.Volume) specs.Mount {
	// Programs may lie on a volume, as in Kubernetes, although /var and tmpfs are mounted noexec for the machine itself.
	options := []string{"rbind", "rprivate", "nosuid", "nodev", "exec"}
	if v.Kind == plan.VolumeHostPath {
		// A path of the machine may hold devices on purpose, and shows what is mounted there later on. "dev" and "exec" say what runc
		// would do unasked to a read-only mount, and not to another.
		options = []string{"rbind", "rslave", "nosuid", "dev", "exec"}
	}
	access := "rw"
	if m.ReadOnly {
		access = "ro"
	}
	return specs.Mount{Destination: m.Path, Type: "bind", Source: v.Path, Options: append(options, access)}
}
