package config

import (
	"net/url"

	"github.com/stele-os/stele/agent/plan"
	"github.com/stele-os/stele/api/v1alpha1"
	"github.com/stele-os/stele/internal/strictyaml"
)

// Bounds of an update's times. A day is enough for every start; a deadline below half a minute rejects versions that only start slowly.
const (
	minDeadlineSeconds = 30
	maxDeadlineSeconds = 86400
	// minCheckSeconds keeps a fleet from flooding its repository; a year is as good as never.
	minCheckSeconds = 60
	maxCheckSeconds = 365 * 86400
	minRateBytes    = 1024
)

func (c *checker) update(path string, doc v1alpha1.Update, containers []v1alpha1.Container) {
	if doc.Repository != nil {
		c.repository(path+".repository", *doc.Repository)
	}
	c.updateTimes(path, doc)
	names, known := map[string]string{}, map[string]bool{}
	for _, container := range containers {
		known[container.Name] = true
	}
	for i, check := range doc.Checks {
		path := strictyaml.Index(path+".checks", i)
		c.name(path+".name", check.Name)
		if check.Name != "" {
			c.unique(names, path+".name", "name", check.Name)
		}
		c.updateCheck(path, check, known)
	}
}

// updateTimes checks the times as they are planned, so that a default counts like a choice.
func (c *checker) updateTimes(path string, doc v1alpha1.Update) {
	probation, deadline := plan.UpdateTimes(doc)
	if s := doc.DeadlineSeconds; s != nil && (*s < minDeadlineSeconds || *s > maxDeadlineSeconds) {
		c.problem(path+".deadlineSeconds", "%d is out of range: give %d to %d", *s, minDeadlineSeconds, maxDeadlineSeconds)
		return
	}
	switch s := doc.ProbationSeconds; {
	case s != nil && *s < 0:
		c.problem(path+".probationSeconds", "%d is negative", *s)
	case probation >= deadline && s != nil:
		c.problem(path+".probationSeconds", "%d is not less than the deadline of %.0f s: no version could ever commit itself", *s, deadline.Seconds())
	case probation >= deadline:
		c.problem(path+".deadlineSeconds", "%.0f is not more than the probation of %.0f s: no version could ever commit itself", deadline.Seconds(), probation.Seconds())
	}
}

func (c *checker) repository(path string, doc v1alpha1.UpdateRepository) {
	c.repositoryURL(path+".url", doc.URL)
	if doc.CA != "" {
		c.certificates(path+".ca", doc.CA)
	}
	if doc.MaxRate != "" {
		c.bytes(path+".maxRate", doc.MaxRate, minRateBytes)
	}
	if s := doc.CheckIntervalSeconds; s != 0 && (s < minCheckSeconds || s > maxCheckSeconds) {
		c.problem(path+".checkIntervalSeconds", "%d is out of range: give %d to %d, or 0 to look only when asked", s, minCheckSeconds, maxCheckSeconds)
	}
}

// repositoryURL never quotes the URL: it may hold a password.
func (c *checker) repositoryURL(path, text string) {
	u, err := url.Parse(text)
	switch {
	case text == "":
		c.problem(path, "is missing: give the http(s) URL of the directory that holds metadata/ and targets/")
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.Opaque != "":
		c.problem(path, "is not an http(s) URL")
	case u.User != nil:
		c.problem(path, "holds a user name or password: this is not supported, and would be readable to everyone who reads the document")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		c.problem(path, "has a query or fragment: remove it")
	default:
		c.host(path, u.Hostname())
	}
}

func (c *checker) updateCheck(path string, doc v1alpha1.UpdateCheck, containers map[string]bool) {
	actions := 0
	if doc.HTTPGet != nil {
		actions++
		c.httpGet(path+".httpGet", *doc.HTTPGet)
	}
	if doc.Exec != nil {
		actions++
		c.updateExec(path+".exec", *doc.Exec, containers)
	}
	if actions != 1 {
		c.problem(path, "needs exactly one of httpGet and exec, it has %d", actions)
	}
	c.seconds(path+".periodSeconds", doc.PeriodSeconds)
	c.seconds(path+".timeoutSeconds", doc.TimeoutSeconds)
}

func (c *checker) updateExec(path string, doc v1alpha1.UpdateExec, containers map[string]bool) {
	switch {
	case doc.Container == "":
		c.problem(path+".container", "is missing: name one of spec.containers")
	case !containers[doc.Container]:
		c.problem(path+".container", "there is no container %q: add it to spec.containers, or correct the name", doc.Container)
	}
	c.words(path+".command", doc.Command)
	if len(doc.Command) == 0 {
		c.problem(path+".command", "is missing: name the program to run inside the container")
	}
}

// seconds checks a period or time-out of which 0 is the default.
func (c *checker) seconds(path string, n int) {
	if n < 0 || n > maxProbeSeconds {
		c.problem(path, "%d is out of range: give at most %d", n, maxProbeSeconds)
	}
}
