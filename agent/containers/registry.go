package containers

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/containerd/containerd/v2/core/remotes/docker"

	"github.com/stele-os/stele/agent/plan"
)

// registryHosts tells containerd's resolver how a registry is reached: the endpoints of the document in their order, or the host itself by HTTPS.
func registryHosts(registries []plan.Registry) docker.RegistryHosts {
	return func(host string) ([]docker.RegistryHost, error) {
		i := slices.IndexFunc(registries, func(r plan.Registry) bool { return r.Host == host })
		if i < 0 {
			registry := plan.Registry{Host: host, Endpoints: []string{"https://" + defaultHost(host)}}
			return hostsOf(registry)
		}
		return hostsOf(registries[i])
	}
}

// defaultHost is where a registry answers: the one of short names has a different host name for its API.
func defaultHost(host string) string {
	if host == "docker.io" {
		return "registry-1.docker.io"
	}
	return host
}

func hostsOf(r plan.Registry) ([]docker.RegistryHost, error) {
	client, err := registryClient(r)
	if err != nil {
		return nil, err
	}
	var hosts []docker.RegistryHost
	for _, endpoint := range r.Endpoints {
		u, err := url.Parse(endpoint)
		if err != nil || u.Host == "" {
			return nil, fmt.Errorf("cannot reach registry %q: endpoint %q is no URL", r.Host, endpoint)
		}
		host := u.Host
		if host == r.Host {
			host = defaultHost(host)
		}
		hosts = append(hosts, docker.RegistryHost{
			Client:       client,
			Authorizer:   docker.NewDockerAuthorizer(docker.WithAuthClient(client)),
			Scheme:       u.Scheme,
			Host:         host,
			Path:         apiPath(u.Path),
			Capabilities: docker.HostCapabilityPull | docker.HostCapabilityResolve,
		})
	}
	return hosts, nil
}

// apiPath is "/v2" below the endpoint's own path (distribution-spec v1.1).
func apiPath(path string) string {
	if path == "" || path == "/" {
		return "/v2"
	}
	return path + "/v2"
}

func registryClient(r plan.Registry) (*http.Client, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if r.CA != "" {
		roots, err := x509.SystemCertPool()
		if err != nil {
			roots = x509.NewCertPool()
		}
		if !roots.AppendCertsFromPEM([]byte(r.CA)) {
			return nil, fmt.Errorf("cannot reach registry %q: its ca holds no PEM certificate", r.Host)
		}
		config.RootCAs = roots
	}
	return &http.Client{Transport: &http.Transport{
		DialContext:           (&net.Dialer{Timeout: 15 * time.Second}).DialContext,
		TLSClientConfig:       config,
		TLSHandshakeTimeout:   15 * time.Second,
		ResponseHeaderTimeout: 30 * time.Second,
		IdleConnTimeout:       10 * time.Second,
	}}, nil
}
