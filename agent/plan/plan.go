package plan

import (
	"fmt"
	"maps"
	"slices"

	"github.com/stele-os/stele/api/v1alpha1"
)

// DefaultHostname is the machine's name where neither document, platform nor DHCP give one (state.Hostname).
const DefaultHostname = "stele"

// Plan returns the desired state of a machine with these facts under this document.
func Plan(doc v1alpha1.Machine, facts Facts) (Desired, error) {
	spec := doc.Spec
	network, err := planNetwork(spec.Network)
	if err != nil {
		return Desired{}, err
	}
	volumes, err := planVolumes(spec.Volumes)
	if err != nil {
		return Desired{}, err
	}
	containers, err := planContainers(spec.Containers, facts)
	if err != nil {
		return Desired{}, err
	}
	if spec.Sysctls[ioUringSwitch] == "0" {
		for i := range containers {
			containers[i].Security.IOUring = true
		}
	}
	update, err := planUpdate(spec.Update)
	if err != nil {
		return Desired{}, err
	}
	return Desired{
		Hostname:   planHostname(spec.Hostname, facts.Hostname),
		Sysctls:    planSysctls(spec.Sysctls),
		Network:    network,
		Time:       Time{Servers: slices.Clone(spec.Time.Servers)},
		Registries: planRegistries(spec.Registries),
		Volumes:    volumes,
		API:        planAPI(spec.API),
		Update:     update,
		Containers: containers,
	}, nil
}

func planHostname(document, platform string) string {
	if document != "" {
		return document
	}
	if platform != "" {
		return platform
	}
	return DefaultHostname
}

// ioUringSwitch is the kernel parameter that the built-in hardening sets to 2 (nobody). A document that sets it to 0 wants io_uring in its
// containers: the system call filter follows it. With 1 the kernel leaves it to CAP_SYS_ADMIN, and the filter stays closed.
const ioUringSwitch = "kernel.io_uring_disabled"

func planSysctls(sysctls map[string]string) []Sysctl {
	var planned []Sysctl
	for _, name := range slices.Sorted(maps.Keys(sysctls)) {
		planned = append(planned, Sysctl{Name: name, Value: sysctls[name]})
	}
	return planned
}

// cannot is the error for a document that was not validated.
func cannot(kind, name string, err error) error {
	return fmt.Errorf("cannot plan %s %q: %w", kind, name, err)
}
