package plan

import (
	"slices"
	"strings"

	"github.com/stele-os/stele/api/v1alpha1"
)

// planRegistries makes each host's endpoints: its mirrors in order, then the host itself. The endpoint of docker.io is
// written with that name; the runtime knows which host serves it.
func planRegistries(docs []v1alpha1.Registry) []Registry {
	var planned []Registry
	for _, doc := range docs {
		scheme := "https://"
		if doc.PlainHTTP {
			scheme = "http://"
		}
		r := Registry{Host: doc.Host, CA: doc.CA}
		for _, endpoint := range append(slices.Clone(doc.Mirrors), doc.Host) {
			if !strings.Contains(endpoint, "://") {
				endpoint = scheme + endpoint
			}
			r.Endpoints = append(r.Endpoints, strings.TrimSuffix(endpoint, "/"))
		}
		planned = append(planned, r)
	}
	return planned
}
