package containers

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/containerd/containerd/api/types"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/stele-os/stele/agent/plan"
	"github.com/stele-os/stele/internal/golden"
)

var around = surroundings{hostname: "node-1", version: "1.2.3", cgroupPath: "/stele/containers/web", etcDir: "/run/stele"}

func TestBuildSpec(t *testing.T) {
	web := plan.Container{Name: "web", Image: "web", Baked: true, Limits: plan.Limits{PIDs: 4096}, Security: plan.Security{NoNewPrivileges: true}}
	tests := []struct {
		name string
		user user
		spec func(*specification)
	}{
		{"plain", user{Home: "/root"}, func(*specification) {}},
		{"limited", user{UID: 1000, GID: 1000, Additional: []uint32{10}, Home: "/home/web"}, func(s *specification) {
			c := &s.Container
			c.Command, c.Args, c.WorkingDir, c.Env = []string{"/bin/other"}, []string{"-v"}, "/job", []string{"MODE=b", "NEW=1"}
			c.Limits = plan.Limits{CPUMillis: 500, MemoryBytes: 64 << 20, PIDs: 100}
			c.HostPID = true
			c.Security.ReadOnlyRoot = true
			c.Security.DropCaps, c.Security.AddCapabilities = []string{"CAP_ALL"}, []string{"CAP_NET_ADMIN"}
			c.Mounts = []plan.Mount{{Volume: "data", Path: "/data"}, {Volume: "host", Path: "/host", ReadOnly: true}}
			s.Volumes = []plan.Volume{{Name: "data", Kind: plan.VolumePersistent, Path: "/var/lib/stele/volumes/data"}, {Name: "host", Kind: plan.VolumeHostPath, Path: "/sys"}}
		}},
		{"privileged", user{Home: "/root"}, func(s *specification) { s.Container.Security = plan.Security{Privileged: true} }},
	}
	image := ocispec.ImageConfig{Entrypoint: []string{"/web"}, Cmd: []string{"serve"}, Env: []string{"PATH=/bin", "MODE=a"}, WorkingDir: "/srv"}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := specification{Container: web}
			tt.spec(&s)
			spec, err := buildSpec(s, image, tt.user, around)
			if err != nil {
				t.Fatal(err)
			}
			if spec.Linux.Seccomp != nil {
				if len(spec.Linux.Seccomp.Syscalls) == 0 {
					t.Error("the seccomp profile is empty")
				}
				spec.Linux.Seccomp = &specs.LinuxSeccomp{DefaultAction: spec.Linux.Seccomp.DefaultAction} // containerd's own, long
			}
			compareJSON(t, "spec-"+tt.name+".json", spec)
		})
	}
}

// TestIOUring: the system calls of io_uring pass where the plan says so, and nowhere else; a privileged container has no filter at all.
func TestIOUring(t *testing.T) {
	for _, security := range []plan.Security{{}, {IOUring: true}} {
		s := specification{Container: plan.Container{Name: "web", Image: "web", Security: security}}
		spec, err := buildSpec(s, ocispec.ImageConfig{Cmd: []string{"/web"}}, user{}, around)
		if err != nil {
			t.Fatal(err)
		}
		passes := slices.ContainsFunc(spec.Linux.Seccomp.Syscalls, func(c specs.LinuxSyscall) bool {
			return c.Action == specs.ActAllow && slices.Contains(c.Names, "io_uring_setup")
		})
		if passes != security.IOUring {
			t.Errorf("io_uring passes the filter: %v, want %v", passes, security.IOUring)
		}
	}
}

func compareJSON(t *testing.T, name string, value any) {
	t.Helper()
	got, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden.Compare(t, "testdata/"+name, string(got)+"\n")
}

func TestCommandLine(t *testing.T) {
	image := ocispec.ImageConfig{Entrypoint: []string{"/e"}, Cmd: []string{"c"}}
	tests := []struct {
		name          string
		image         ocispec.ImageConfig
		command, args []string
		want          string
	}{
		{"the image's", image, nil, nil, "/e c"},
		{"args replace cmd", image, nil, []string{"a"}, "/e a"},
		{"command replaces both", image, []string{"/x"}, nil, "/x"},
		{"command and args", image, []string{"/x"}, []string{"a"}, "/x a"},
		{"cmd alone", ocispec.ImageConfig{Cmd: []string{"/c"}}, nil, nil, "/c"},
		{"nothing", ocispec.ImageConfig{}, nil, nil, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := commandLine(plan.Container{Name: "a", Command: tt.command, Args: tt.args}, tt.image)
			if strings.Join(got, " ") != tt.want || (err != nil) != (tt.want == "") {
				t.Errorf("%q, error %v, want %q", got, err, tt.want)
			}
		})
	}
}

func TestRestrict(t *testing.T) {
	for name, c := range map[string]struct {
		security plan.Security
		want     []string
	}{
		"default":    {plan.Security{NoNewPrivileges: true}, []string{"nodev", "nosuid", "volatile"}},
		"may rise":   {plan.Security{}, []string{"nodev", "volatile"}},
		"privileged": {plan.Security{Privileged: true}, []string{"volatile"}},
	} {
		root := preparedRoot{mounts: []*types.Mount{{Options: []string{"volatile"}}}}
		root.restrict(c.security)
		if got := root.mounts[0].Options; !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// The profile is Docker's and containerd's of the release in go.mod; these stay refused whatever a newer one says. What a capability of the document gives, it gives.
func TestSeccompRefuses(t *testing.T) {
	spec, err := buildSpec(specification{Container: plan.Container{Command: []string{"/a"}}}, ocispec.ImageConfig{}, user{}, around)
	if err != nil {
		t.Fatal(err)
	}
	profile := spec.Linux.Seccomp
	if profile.DefaultAction != specs.ActErrno || len(profile.Architectures) != 1 {
		t.Errorf("by default %s, on %v", profile.DefaultAction, profile.Architectures)
	}
	refused := strings.Fields(`acct add_key bpf clock_settime delete_module finit_module fsconfig fsmount fsopen init_module io_uring_enter io_uring_register
		io_uring_setup ioperm iopl kexec_file_load kexec_load keyctl lookup_dcookie mount mount_setattr move_mount open_by_handle_at open_tree perf_event_open pivot_root
		quotactl reboot request_key setns settimeofday swapoff swapon syslog umount2 unshare userfaultfd vhangup`)
	for _, rule := range profile.Syscalls {
		for _, name := range rule.Names {
			if rule.Action == specs.ActAllow && len(rule.Args) == 0 && slices.Contains(refused, name) {
				t.Errorf("%s is allowed", name)
			}
		}
	}
}

func TestCapabilitySet(t *testing.T) {
	tests := []struct {
		name string
		s    plan.Security
		has  []string
		not  []string
		size int
	}{
		{"default", plan.Security{}, []string{"CAP_CHOWN"}, []string{"CAP_SYS_ADMIN", "CAP_NET_RAW", "CAP_MKNOD"}, 11},
		{"add", plan.Security{AddCapabilities: []string{"CAP_NET_ADMIN"}}, []string{"CAP_NET_ADMIN", "CAP_CHOWN"}, nil, 12},
		{"drop", plan.Security{DropCaps: []string{"CAP_CHOWN"}}, nil, []string{"CAP_CHOWN"}, 10},
		{"drop all, add one", plan.Security{DropCaps: []string{"CAP_ALL"}, AddCapabilities: []string{"CAP_CHOWN"}}, []string{"CAP_CHOWN"}, nil, 1},
		{"add all, drop one", plan.Security{AddCapabilities: []string{"CAP_ALL"}, DropCaps: []string{"CAP_SYS_ADMIN"}}, []string{"CAP_BPF"}, []string{"CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_MODULE"}, 32},
		{"privileged", plan.Security{Privileged: true}, []string{"CAP_SYS_ADMIN"}, []string{"CAP_SYS_BOOT", "CAP_SYS_RAWIO"}, 33},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := capabilitySet(tt.s)
			if len(got) != tt.size {
				t.Errorf("%d capabilities, want %d", len(got), tt.size)
			}
			for _, c := range tt.has {
				if !slices.Contains(got, c) {
					t.Errorf("%s is missing", c)
				}
			}
			for _, c := range tt.not {
				if slices.Contains(got, c) {
					t.Errorf("%s is there", c)
				}
			}
		})
	}
}
