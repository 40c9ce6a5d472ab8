package containers

import (
	"fmt"
	"path/filepath"
	"runtime"

	"github.com/containerd/containerd/v2/contrib/seccomp"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/stele-os/stele/agent/plan"
	"github.com/stele-os/stele/agent/state"
)

// surroundings are what a specification needs to know of the machine.
type surroundings struct {
	hostname   string
	version    string
	cgroupPath string
	etcDir     string // resolv.conf and hosts
}

func (e *containerdEngine) surroundings(name string) surroundings {
	desired, _ := e.machine.Desired.Get()
	network, _ := e.machine.Network.Get()
	facts, _ := e.machine.Facts.Get()
	return surroundings{
		hostname:   state.Hostname(desired, network),
		version:    facts.Image.Version,
		cgroupPath: filepath.Join(e.options.CgroupParent, name),
		etcDir:     e.options.etcCopies(),
	}
}

// buildSpec describes a container for runc (runtime-spec v1.3). It is pure; golden files hold it.
func buildSpec(s specification, image ocispec.ImageConfig, u user, around surroundings) (*specs.Spec, error) {
	c := s.Container
	args, err := commandLine(c, image)
	if err != nil {
		return nil, err
	}
	capabilities := capabilitySet(c.Security)
	spec := &specs.Spec{
		Version:  specs.Version,
		Root:     &specs.Root{Path: "rootfs", Readonly: c.Security.ReadOnlyRoot},
		Hostname: around.hostname,
		Process: &specs.Process{
			Args: args,
			Env:  environment(c, image, u, around),
			Cwd:  workingDir(c, image),
			User: specs.User{UID: u.UID, GID: u.GID, AdditionalGids: u.Additional},
			Capabilities: &specs.LinuxCapabilities{
				Bounding: capabilities, Effective: effective(capabilities, u), Permitted: effective(capabilities, u),
			},
			NoNewPrivileges: c.Security.NoNewPrivileges && !c.Security.Privileged,
			OOMScoreAdj:     new(int), // by size; without it a container would inherit its shim's protection
			Rlimits: []specs.POSIXRlimit{
				{Type: "RLIMIT_CORE"}, // memory dumps hold secrets
				{Type: "RLIMIT_NOFILE", Soft: 1 << 16, Hard: 1 << 20},
			},
		},
		Mounts: mounts(s, around),
		Linux: &specs.Linux{
			CgroupsPath: around.cgroupPath,
			Namespaces:  namespacesOf(c),
			Resources:   resources(c.Limits),
		},
	}
	if c.Security.Privileged {
		privilege(spec)
		return spec, nil
	}
	spec.Linux.MaskedPaths, spec.Linux.ReadonlyPaths = maskedPaths, readonlyPaths
	spec.Linux.Resources.Devices = defaultDeviceRules()
	spec.Linux.Seccomp = seccompProfile(spec)
	if c.Security.IOUring {
		spec.Linux.Seccomp.Syscalls = append(spec.Linux.Seccomp.Syscalls, ioUring)
	}
	return spec, nil
}

// seccompProfile is containerd's default profile (Docker's) for the machine's own architecture. The kernel has no 32-bit system calls
// (kernel-configs: IA32_EMULATION and X86_X32_ABI are off), and leaving their filters out takes a seventh off the instructions of a container start.
func seccompProfile(spec *specs.Spec) *specs.LinuxSeccomp {
	profile := seccomp.DefaultProfile(spec)
	profile.Architectures = []specs.Arch{seccompArchitectures[runtime.GOARCH]}
	return profile
}

// ioUring are the system calls that the default profile does not know of, since kernel.io_uring_disabled keeps them away from everybody otherwise.
var ioUring = specs.LinuxSyscall{Names: []string{"io_uring_enter", "io_uring_register", "io_uring_setup"}, Action: specs.ActAllow}

var seccompArchitectures = map[string]specs.Arch{"amd64": specs.ArchX86_64, "arm64": specs.ArchAARCH64}

// commandLine follows Kubernetes: command replaces the entrypoint and with it the image's cmd; args replace the cmd.
func commandLine(c plan.Container, image ocispec.ImageConfig) ([]string, error) {
	entrypoint, cmd := image.Entrypoint, image.Cmd
	if len(c.Command) > 0 {
		entrypoint, cmd = c.Command, nil
	}
	if len(c.Args) > 0 {
		cmd = c.Args
	}
	args := append(append([]string{}, entrypoint...), cmd...)
	if len(args) == 0 {
		return nil, fmt.Errorf("cannot start container %q: neither the image %q nor the document says what to run", c.Name, c.Image)
	}
	return args, nil
}

// environment: PATH, the machine's own, the image's, the document's; later ones win.
func environment(c plan.Container, image ocispec.ImageConfig, u user, around surroundings) []string {
	env := []string{
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"HOME=" + u.Home,
		"HOSTNAME=" + around.hostname,
		"STELE_VERSION=" + around.version,
	}
	for _, list := range [][]string{image.Env, c.Env} {
		for _, variable := range list {
			env = setVariable(env, variable)
		}
	}
	return env
}

func workingDir(c plan.Container, image ocispec.ImageConfig) string {
	for _, dir := range []string{c.WorkingDir, image.WorkingDir} {
		if dir != "" {
			return dir
		}
	}
	return "/"
}

// namespacesOf a container: its own but for the network, which is the machine's; and PIDs, where it asks for the machine's. UTS is its own:
// the hostname is the machine's, but nothing inside can change it.
func namespacesOf(c plan.Container) []specs.LinuxNamespace {
	ns := []specs.LinuxNamespace{{Type: specs.MountNamespace}, {Type: specs.IPCNamespace}, {Type: specs.UTSNamespace}, {Type: specs.CgroupNamespace}}
	if !c.HostPID {
		ns = append(ns, specs.LinuxNamespace{Type: specs.PIDNamespace})
	}
	return ns
}

// cpuPeriodUsec is the kernel's default period of cpu.max.
const cpuPeriodUsec = 100000

// resources become cgroup v2 files: cpu.max, memory.max, memory.swap.max (0), memory.oom.group and pids.max.
func resources(l plan.Limits) *specs.LinuxResources {
	r := &specs.LinuxResources{}
	if l.PIDs > 0 {
		pids := l.PIDs
		r.Pids = &specs.LinuxPids{Limit: &pids}
	}
	if l.CPUMillis > 0 {
		quota, period := l.CPUMillis*cpuPeriodUsec/1000, uint64(cpuPeriodUsec)
		r.CPU = &specs.LinuxCPU{Quota: &quota, Period: &period}
	}
	if l.MemoryBytes > 0 {
		limit := l.MemoryBytes
		// Swap counts memory and swap together in the runtime-spec: equal means none.
		r.Memory = &specs.LinuxMemory{Limit: &limit, Swap: &limit}
		r.Unified = map[string]string{"memory.oom.group": "1"}
	}
	return r
}
