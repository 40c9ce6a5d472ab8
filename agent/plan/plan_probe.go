package plan

import (
	"cmp"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stele-os/stele/api/v1alpha1"
)

// Defaults of a probe: those of Kubernetes.
const (
	defaultProbePeriodSeconds  = 10
	defaultProbeTimeoutSeconds = 1
	defaultProbeSuccesses      = 1
	defaultProbeFailures       = 3
	defaultProbeHost           = "127.0.0.1"
	defaultProbePath           = "/"
	defaultProbeScheme         = "HTTP"
)

func planProbe(doc *v1alpha1.Probe) *Probe {
	if doc == nil {
		return nil
	}
	probe := &Probe{
		InitialDelay:     time.Duration(doc.InitialDelaySeconds) * time.Second,
		Period:           time.Duration(cmp.Or(doc.PeriodSeconds, defaultProbePeriodSeconds)) * time.Second,
		Timeout:          time.Duration(cmp.Or(doc.TimeoutSeconds, defaultProbeTimeoutSeconds)) * time.Second,
		SuccessThreshold: cmp.Or(doc.SuccessThreshold, defaultProbeSuccesses),
		FailureThreshold: cmp.Or(doc.FailureThreshold, defaultProbeFailures),
	}
	switch {
	case doc.HTTPGet != nil:
		probe.HTTP = probeURL(*doc.HTTPGet)
	case doc.TCPSocket != nil:
		probe.TCP = probeAddress(doc.TCPSocket.Host, doc.TCPSocket.Port)
	case doc.Exec != nil:
		probe.Exec = slices.Clone(doc.Exec.Command)
	}
	return probe
}

func probeURL(doc v1alpha1.HTTPGetAction) string {
	path, query, _ := strings.Cut(cmp.Or(doc.Path, defaultProbePath), "?")
	u := url.URL{
		Scheme:   strings.ToLower(cmp.Or(doc.Scheme, defaultProbeScheme)),
		Host:     probeAddress(doc.Host, doc.Port),
		Path:     path,
		RawQuery: query,
	}
	return u.String()
}

func probeAddress(host string, port int) string {
	return net.JoinHostPort(cmp.Or(host, defaultProbeHost), strconv.Itoa(port))
}
