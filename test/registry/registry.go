// Package registry runs an OCI registry in memory for tests, on the host's loopback, where a machine in QEMU reaches it.
//
// It is go-containerregistry's test registry (distribution-spec: pull and push) plus what our tests ask: images made of one static binary, and a
// record of the requests. It speaks plain HTTP and keeps nothing.
package registry

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// Registry is a running registry.
type Registry struct {
	server *httptest.Server

	mu       sync.Mutex
	requests []string
}

// Start runs a registry until the test ends.
func Start(t testing.TB) *Registry {
	t.Helper()
	r := &Registry{}
	handler := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	r.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		r.mu.Lock()
		r.requests = append(r.requests, request.Method+" "+request.URL.Path)
		r.mu.Unlock()
		handler.ServeHTTP(w, request)
	}))
	t.Cleanup(r.server.Close)
	return r
}

// Address is "127.0.0.1:port".
func (r *Registry) Address() string { return strings.TrimPrefix(r.server.URL, "http://") }

// Requests are "METHOD path", in order.
func (r *Registry) Requests() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.requests)
}

// Push puts an image under "repository:tag" and returns its digest.
func (r *Registry) Push(t testing.TB, reference string, image v1.Image) string {
	t.Helper()
	ref, err := name.ParseReference(r.Address()+"/"+reference, name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(ref, image); err != nil {
		t.Fatalf("cannot push %q: %v", reference, err)
	}
	digest, err := image.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return digest.String()
}

// BinaryImage is an image that holds one static program, which is its entrypoint. The same binary gives the same digest.
func BinaryImage(architecture string, binary []byte) (v1.Image, error) {
	var layer bytes.Buffer
	w := tar.NewWriter(&layer)
	header := &tar.Header{Name: "program", Mode: 0o755, Size: int64(len(binary)), ModTime: time.Unix(0, 0), Format: tar.FormatPAX}
	if err := w.WriteHeader(header); err != nil {
		return nil, fmt.Errorf("cannot write layer: %w", err)
	}
	if _, err := w.Write(binary); err != nil {
		return nil, fmt.Errorf("cannot write layer: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("cannot write layer: %w", err)
	}
	content := layer.Bytes()
	oci, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil })
	if err != nil {
		return nil, fmt.Errorf("cannot make layer: %w", err)
	}
	image, err := mutate.AppendLayers(empty.Image, oci)
	if err != nil {
		return nil, fmt.Errorf("cannot make image: %w", err)
	}
	config, err := image.ConfigFile()
	if err != nil {
		return nil, fmt.Errorf("cannot make image: %w", err)
	}
	config.Architecture, config.OS = architecture, "linux"
	config.Config.Entrypoint = []string{"/program"}
	return mutate.ConfigFile(image, config)
}
