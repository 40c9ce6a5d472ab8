package plan

import (
	"cmp"
	"slices"
	"time"

	"github.com/stele-os/stele/api/v1alpha1"
)

// Defaults of a container; the reference page prints the same from the document's comments.
const (
	defaultRestartPolicy = "Always"
	defaultProtocol      = "TCP"
	defaultPIDs          = 4096
	defaultGracePeriod   = 10 * time.Second
	defaultLogSize       = "10Mi"
	defaultLogFiles      = 3
)

func planContainers(docs []v1alpha1.Container, facts Facts) ([]Container, error) {
	var planned []Container
	for _, doc := range docs {
		container, err := planContainer(doc, facts)
		if err != nil {
			return nil, cannot("container", doc.Name, err)
		}
		planned = append(planned, container)
	}
	return planned, nil
}

func planContainer(doc v1alpha1.Container, facts Facts) (Container, error) {
	image, err := ResolveImage(doc.Image, facts)
	if err != nil {
		return Container{}, err
	}
	limits, err := planLimits(doc.Resources.Limits)
	if err != nil {
		return Container{}, err
	}
	logSize, err := ParseBytes(cmp.Or(doc.Logs.MaxSize, defaultLogSize))
	if err != nil {
		return Container{}, err
	}
	container := Container{
		Name:          doc.Name,
		Baked:         image.Baked,
		Image:         image.Reference,
		PullPolicy:    planPullPolicy(doc.ImagePullPolicy, image),
		Command:       slices.Clone(doc.Command),
		Args:          slices.Clone(doc.Args),
		WorkingDir:    doc.WorkingDir,
		RestartPolicy: cmp.Or(doc.RestartPolicy, defaultRestartPolicy),
		Required:      planRequired(doc),
		Limits:        limits,
		Liveness:      planProbe(doc.LivenessProbe),
		Readiness:     planProbe(doc.ReadinessProbe),
		Security:      planSecurity(doc.SecurityContext),
		HostPID:       doc.HostPID,
		GracePeriod:   defaultGracePeriod,
		Logs:          Logs{MaxSizeBytes: logSize, MaxFiles: cmp.Or(doc.Logs.MaxFiles, defaultLogFiles)},
	}
	if seconds := doc.TerminationGracePeriodSeconds; seconds != nil {
		container.GracePeriod = time.Duration(*seconds) * time.Second
	}
	for _, env := range doc.Env {
		container.Env = append(container.Env, env.Name+"="+env.Value)
	}
	for _, port := range doc.Ports {
		container.Ports = append(container.Ports, Port{Name: port.Name, Number: port.ContainerPort, Protocol: cmp.Or(port.Protocol, defaultProtocol)})
	}
	for _, mount := range doc.VolumeMounts {
		container.Mounts = append(container.Mounts, Mount{Volume: mount.Name, Path: mount.MountPath, ReadOnly: mount.ReadOnly})
	}
	return container, nil
}

// planPullPolicy: a baked image is never pulled; "latest" may have moved, any other tag is taken as fixed (Kubernetes' rule).
func planPullPolicy(document string, image Image) string {
	switch {
	case image.Baked:
		return "Never"
	case document != "":
		return document
	case image.Latest:
		return "Always"
	}
	return "IfNotPresent"
}

func planLimits(doc v1alpha1.ResourceLimits) (limits Limits, err error) {
	limits.PIDs = defaultPIDs
	if doc.PIDs != nil {
		limits.PIDs = int64(*doc.PIDs)
	}
	if doc.CPU != "" {
		if limits.CPUMillis, err = ParseCPU(doc.CPU); err != nil {
			return Limits{}, err
		}
	}
	if doc.Memory != "" {
		if limits.MemoryBytes, err = ParseBytes(doc.Memory); err != nil {
			return Limits{}, err
		}
	}
	return limits, nil
}

// planSecurity writes capabilities as the kernel does (CAP_NET_ADMIN), and "ALL" alike.
func planSecurity(doc v1alpha1.SecurityContext) Security {
	return Security{
		User:            clonePointer(doc.RunAsUser),
		Group:           clonePointer(doc.RunAsGroup),
		ReadOnlyRoot:    doc.ReadOnlyRootFilesystem,
		Privileged:      doc.Privileged,
		NoNewPrivileges: !doc.AllowPrivilegeEscalation && !doc.Privileged,
		AddCapabilities: planCapabilities(doc.Capabilities.Add),
		DropCaps:        planCapabilities(doc.Capabilities.Drop),
	}
}

func planCapabilities(names []string) []string {
	var planned []string
	for _, name := range names {
		planned = append(planned, "CAP_"+name)
	}
	return planned
}

func clonePointer[T any](p *T) *T {
	if p == nil {
		return nil
	}
	clone := *p
	return &clone
}

// planRequired: what always runs is what the machine is for, unless the document says otherwise.
func planRequired(doc v1alpha1.Container) bool {
	if doc.Required != nil {
		return *doc.Required
	}
	return cmp.Or(doc.RestartPolicy, defaultRestartPolicy) == defaultRestartPolicy
}
