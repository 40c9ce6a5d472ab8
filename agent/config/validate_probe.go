package config

import (
	"strings"

	"github.com/stele-os/stele/api/v1alpha1"
)

// maxProbeSeconds and maxProbeThreshold keep a mistyped number from meaning "never".
const (
	maxProbeSeconds   = 86400
	maxProbeThreshold = 1000
)

func (c *checker) probe(path string, doc *v1alpha1.Probe) {
	if doc == nil {
		return
	}
	actions := 0
	if doc.HTTPGet != nil {
		actions++
		c.httpGet(path+".httpGet", *doc.HTTPGet)
	}
	if doc.TCPSocket != nil {
		actions++
		c.portNumber(path+".tcpSocket.port", doc.TCPSocket.Port)
		c.probeHost(path+".tcpSocket.host", doc.TCPSocket.Host)
	}
	if doc.Exec != nil {
		actions++
		c.words(path+".exec.command", doc.Exec.Command)
		if len(doc.Exec.Command) == 0 {
			c.problem(path+".exec.command", "is missing: name the program to run inside the container")
		}
	}
	if actions != 1 {
		c.problem(path, "needs exactly one of httpGet, tcpSocket and exec, it has %d", actions)
	}
	for _, n := range []struct {
		field string
		value int
		most  int
	}{
		{"initialDelaySeconds", doc.InitialDelaySeconds, maxProbeSeconds},
		{"periodSeconds", doc.PeriodSeconds, maxProbeSeconds},
		{"timeoutSeconds", doc.TimeoutSeconds, maxProbeSeconds},
		{"successThreshold", doc.SuccessThreshold, maxProbeThreshold},
		{"failureThreshold", doc.FailureThreshold, maxProbeThreshold},
	} {
		if n.value < 0 || n.value > n.most {
			c.problem(path+"."+n.field, "%d is out of range: give at most %d", n.value, n.most)
		}
	}
}

func (c *checker) httpGet(path string, doc v1alpha1.HTTPGetAction) {
	c.portNumber(path+".port", doc.Port)
	c.probeHost(path+".host", doc.Host)
	if doc.Path != "" && !strings.HasPrefix(doc.Path, "/") || strings.ContainsFunc(doc.Path, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		c.problem(path+".path", "is not the path of a request: it begins with \"/\" and has no spaces") // not quoted: it may hold a token
	}
}

func (c *checker) probeHost(path, host string) {
	if host != "" {
		c.host(path, host)
	}
}
