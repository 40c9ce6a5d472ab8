package config

import (
	"fmt"
	"strings"

	"github.com/stele-os/stele/agent/plan"
	"github.com/stele-os/stele/api/v1alpha1"
	"github.com/stele-os/stele/internal/strictyaml"
)

const (
	minMemoryBytes = 1 << 20
	minLogBytes    = 4096
	maxLogFiles    = 100
	minPIDs        = 1
	// maxGraceSeconds bounds how long one container can hold up a shutdown.
	maxGraceSeconds = 3600
)

// containers checks each container by itself, and that no two of them listen on the same port of the machine's network.
func (c *checker) containers(path string, spec v1alpha1.MachineSpec) {
	names, ports, volumes := map[string]string{}, map[string]string{}, map[string]bool{}
	for _, volume := range spec.Volumes {
		volumes[volume.Name] = true
	}
	for i, doc := range spec.Containers {
		path := strictyaml.Index(path, i)
		c.name(path+".name", doc.Name)
		if doc.Name != "" {
			c.unique(names, path+".name", "name", doc.Name)
		}
		c.image(path+".image", doc.Image)
		c.process(path, doc)
		c.ports(path+".ports", doc.Ports, ports)
		c.limits(path+".resources.limits", doc.Resources.Limits)
		c.probe(path+".livenessProbe", doc.LivenessProbe)
		c.probe(path+".readinessProbe", doc.ReadinessProbe)
		if doc.LivenessProbe != nil && doc.LivenessProbe.SuccessThreshold > 1 {
			c.problem(path+".livenessProbe.successThreshold", "must be 1 in a liveness probe")
		}
		c.mounts(path+".volumeMounts", doc.VolumeMounts, volumes)
		c.security(path+".securityContext", doc.SecurityContext)
		c.logs(path+".logs", doc.Logs)
	}
}

func (c *checker) image(path, image string) {
	if image == "" {
		c.problem(path, "is missing: name an image of a registry, such as \"registry.example.com/app:1.0\", or one baked into the root")
		return
	}
	if _, err := plan.ResolveImage(image, c.facts); err != nil {
		c.problem(path, "%v", err)
	}
}

func (c *checker) process(path string, doc v1alpha1.Container) {
	c.words(path+".command", doc.Command)
	c.words(path+".args", doc.Args)
	if doc.WorkingDir != "" {
		c.absolute(path+".workingDir", doc.WorkingDir)
	}
	names := map[string]string{}
	for i, env := range doc.Env {
		path := strictyaml.Index(path+".env", i)
		switch {
		case env.Name == "":
			c.problem(path+".name", "is missing: give the variable a name")
		case strings.ContainsFunc(env.Name, func(r rune) bool { return r <= ' ' || r == '=' || r >= 0x7f }):
			c.problem(path+".name", "%q is not the name of a variable: it has printable ASCII without \"=\" and spaces", env.Name)
		default:
			c.unique(names, path+".name", "name", env.Name)
		}
		c.word(path+".value", env.Value)
	}
	if grace := doc.TerminationGracePeriodSeconds; grace != nil && (*grace < 0 || *grace > maxGraceSeconds) {
		c.problem(path+".terminationGracePeriodSeconds", "%d is out of range: give 0 to %d seconds", *grace, maxGraceSeconds)
	}
}

// words checks arguments and values that the kernel takes as C strings.
func (c *checker) words(path string, words []string) {
	for i, word := range words {
		c.word(strictyaml.Index(path, i), word)
	}
	if len(words) > 0 && words[0] == "" && strings.HasSuffix(path, "command") {
		c.problem(strictyaml.Index(path, 0), "is empty: name the program to run")
	}
}

func (c *checker) word(path, word string) {
	if strings.ContainsRune(word, 0) {
		c.problem(path, "holds a zero byte")
	}
}

// ports checks against used, the ports of all containers so far: they share the machine's network.
func (c *checker) ports(path string, docs []v1alpha1.ContainerPort, used map[string]string) {
	names := map[string]string{}
	for i, doc := range docs {
		path := strictyaml.Index(path, i)
		if doc.Name != "" {
			c.name(path+".name", doc.Name)
			c.unique(names, path+".name", "name", doc.Name)
		}
		c.portNumber(path+".containerPort", doc.ContainerPort)
		protocol := doc.Protocol
		if protocol == "" {
			protocol = "TCP"
		}
		c.unique(used, path+".containerPort", "port", fmt.Sprintf("%d/%s", doc.ContainerPort, protocol))
	}
}

func (c *checker) limits(path string, doc v1alpha1.ResourceLimits) {
	if doc.CPU != "" {
		if millis, err := plan.ParseCPU(doc.CPU); err != nil {
			c.problem(path+".cpu", "%q %v", doc.CPU, err)
		} else if millis < 1 {
			c.problem(path+".cpu", "must be more than 0: leave it out for no limit")
		}
	}
	if doc.Memory != "" {
		c.bytes(path+".memory", doc.Memory, minMemoryBytes)
	}
	if doc.PIDs != nil && *doc.PIDs < minPIDs {
		c.problem(path+".pids", "%d is too few: the container's own process needs one", *doc.PIDs)
	}
}

func (c *checker) logs(path string, doc v1alpha1.LogOptions) {
	if doc.MaxSize != "" {
		c.bytes(path+".maxSize", doc.MaxSize, minLogBytes)
	}
	if doc.MaxFiles < 0 || doc.MaxFiles > maxLogFiles {
		c.problem(path+".maxFiles", "%d is out of range: give 1 to %d", doc.MaxFiles, maxLogFiles)
	}
}
