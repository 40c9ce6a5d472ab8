package server

import (
	"bytes"
	"context"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stele-os/stele/agent/server/audit"
	"github.com/stele-os/stele/agent/server/identity"
	"github.com/stele-os/stele/agent/server/logs"
	"github.com/stele-os/stele/agent/state"
)

var contentTypes = []string{"application/json", "application/proto", "application/connect+json", "application/connect+proto", "application/grpc", "application/grpc-web+proto",
	"application/grpc+json", "text/plain"}

// FuzzRequests sends a body to a procedure, by all protocols, through everything behind TLS.
func FuzzRequests(f *testing.F) {
	procedures := slices.Sorted(maps.Keys(rules))
	dir := f.TempDir()
	machine := &state.Machine{}
	closed := make(chan struct{})
	close(closed)
	o := Options{StateDir: dir, ContainerLogs: dir, Configuration: &fakeConfiguration{}, Power: &fakePower{}, Containers: fakeContainers{},
		Updates: &fakeUpdates{machine: machine, block: closed}, Limits: Limits{Need: 10 * time.Millisecond},
		Kernel: func() (logs.Kernel, error) { return nil, net.ErrClosed }}.filled()
	id, _, err := identity.Open(identity.Options{Dir: filepath.Join(dir, "identity"), Now: o.Now, NotBefore: o.BuildTime})
	if err != nil {
		f.Fatal(err)
	}
	trail := audit.Open(audit.Options{Dir: filepath.Join(dir, "audit"), Now: o.Now})
	s := newServer(machine, o, id, trail)
	somebody := &conn{caller: &caller{role: admin, subject: "CN=fuzz", fingerprint: "f", notAfter: time.Now().Add(time.Hour)}}
	f.Add(uint8(3), uint8(0), []byte(`{"document":"x"}`))
	f.Add(uint8(3), uint8(4), []byte{0, 0, 0, 0, 3, 10, 1, 'x'})
	f.Add(uint8(18), uint8(2), append([]byte{0, 0, 0, 0, 17}, `{"version":"1.0"}`...))
	f.Fuzz(func(t *testing.T, procedure, contentType uint8, body []byte) {
		ctx, cancel := context.WithTimeout(context.WithValue(context.Background(), connKey{}, somebody), 10*time.Millisecond)
		defer cancel()
		r := httptest.NewRequest(http.MethodPost, procedures[int(procedure)%len(procedures)], bytes.NewReader(body)).WithContext(ctx)
		r.Header.Set("Content-Type", contentTypes[int(contentType)%len(contentTypes)])
		r.Proto, r.ProtoMajor, r.ProtoMinor = "HTTP/2.0", 2, 0
		w := httptest.NewRecorder()
		s.serveHTTP(w, r) // a panic of a handler that was not contained ends the test
		if s.slots.all != 0 {
			t.Errorf("%d calls are still counted", s.slots.all)
		}
	})
}
