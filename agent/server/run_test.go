package server

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stele-os/stele/agent/plan"
	"github.com/stele-os/stele/agent/server/audit"
	"github.com/stele-os/stele/agent/state"
	nodev1 "github.com/stele-os/stele/api/node/v1"
)

// status calls Status by Connect JSON; its result is the HTTP status, 0 where there was no answer.
func (f *fixture) status(c *http.Client) int {
	status, _, _, err := f.post(c, nodev1.MachineServiceStatusProcedure, "application/json", []byte("{}"))
	if err != nil {
		return 0
	}
	return status
}

func (f *fixture) want(api plan.API) {
	f.machine.Desired.Set(plan.Desired{Hostname: "web-1", API: api})
}

func TestPortFollowsTheDocument(t *testing.T) {
	t.Parallel()
	f := start(t, func(o *Options) { o.Limits.Farewell = time.Millisecond })
	client := f.client(f.ca.client(t, "rita", []string{"stele:reader"}, nil))
	first := f.waitAPI(func(state.API) bool { return true })
	if !first.SelfSigned || !strings.HasPrefix(first.Fingerprint, "SHA256:") || f.status(client) != 200 {
		t.Errorf("%+v", first)
	}
	f.want(plan.API{Port: 7836, ClientCAs: f.ca.pem})
	before := f.address
	f.address = <-f.addresses
	f.waitAPI(func(a state.API) bool { return a.Port == 7836 })
	if f.status(client) != 200 {
		t.Error("the new port does not answer")
	}
	f.address, before = before, f.address
	if f.status(client) != 0 {
		t.Error("the old port answers")
	}
	f.address = before
	f.want(plan.API{})
	f.waitAPI(func(a state.API) bool { return a.Port == 0 && a.Error == "" })
	if f.status(client) != 0 {
		t.Error("it answers although no port is wanted")
	}
	f.want(plan.API{Port: 7835, ClientCAs: "nonsense"})
	f.waitAPI(func(a state.API) bool { return strings.Contains(a.Error, "no certificate") })
}

// TestGoneAuthorityEndsItsClients: calls at once, streams after a moment, others not at all.
func TestGoneAuthorityEndsItsClients(t *testing.T) {
	t.Parallel()
	f := start(t, func(o *Options) { o.Limits.Farewell = 50 * time.Millisecond })
	second := newAuthority(t, "second")
	f.want(plan.API{Port: 7835, ClientCAs: f.ca.pem + second.pem})
	gone, stays := f.ca.client(t, "gone", []string{"stele:reader"}, nil), second.client(t, "stays", []string{"stele:reader"}, nil)
	goneClient, staysClient := f.client(gone), f.client(stays)
	for f.status(staysClient) != 200 { // until the change has arrived
		staysClient.CloseIdleConnections()
	}
	goneStream, staysStream := f.watch(goneClient), f.watch(staysClient)
	f.want(plan.API{Port: 7835, ClientCAs: second.pem})
	if err := goneStream.drain(); err == nil {
		t.Error("the stream ended as if all were well")
	}
	if f.status(goneClient) == 200 || f.status(f.client(gone)) != 0 {
		t.Error("the client of the gone CA may still call")
	}
	if f.status(staysClient) != 200 {
		t.Error("the other one may not call any more")
	}
	f.events.Publish("machine", "", "last word")
	if !staysStream.until("last word") {
		t.Error("the other stream has ended")
	}
}

// TestCertificateEndsDuringConnection: a certificate counts at each call, not only at the handshake.
func TestCertificateEndsDuringConnection(t *testing.T) {
	t.Parallel()
	f := start(t, nil)
	client := f.client(f.ca.client(t, "brief", []string{"stele:reader"}, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(3 * time.Second) }))
	if f.status(client) != 200 {
		t.Fatal("refused from the start")
	}
	if err := f.watch(client).drain(); err == nil {
		t.Error("the stream ended as if all were well")
	}
	if got := f.status(client); got == 200 {
		t.Error("the certificate is over, and the call went through")
	}
}

func TestOldTLSAndResumptionAreRefused(t *testing.T) {
	t.Parallel()
	f := start(t, nil)
	settings := clientSettings(f.ca.client(t, "rita", []string{"stele:reader"}, nil))
	settings.MaxVersion = tls.VersionTLS12
	if c, err := tls.Dial("tcp", f.address, settings); err == nil {
		c.Close()
		t.Error("TLS 1.2 is accepted")
	}
	settings.MaxVersion = 0
	settings.ClientSessionCache = tls.NewLRUClientSessionCache(4)
	for range 2 {
		c, err := tls.Dial("tcp", f.address, settings)
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
		_, _ = c.Read(make([]byte, 1)) // where tickets would come
		if c.ConnectionState().DidResume {
			t.Error("a session was resumed")
		}
		c.Close()
	}
}

// records reads a family of the audit log.
func (f *fixture) records(family string) []audit.Record {
	f.t.Helper()
	content, err := os.ReadFile(filepath.Join(f.stateDir, "audit", family))
	if err != nil && !os.IsNotExist(err) {
		f.t.Fatal(err)
	}
	var list []audit.Record
	for line := range strings.Lines(string(content)) {
		var r audit.Record
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			f.t.Errorf("%q: %v", line, err)
		}
		list = append(list, r)
	}
	return list
}

// TestStrangeRequests: what is no call of ours is answered, and does nothing.
func TestStrangeRequests(t *testing.T) {
	t.Parallel()
	w := startWhole(t)
	client := w.as("stele:admin")
	for _, tt := range []struct {
		name, method, path, origin string
		want                       int
	}{
		{"a web page", http.MethodPost, nodev1.PowerServiceRebootProcedure, "https://example.com", http.StatusForbidden},
		{"no procedure", http.MethodPost, "/stele.node.v1.PowerService/Explode", "", http.StatusNotImplemented},
		{"a file", http.MethodGet, "/etc/passwd", "", http.StatusNotImplemented},
		{"GET", http.MethodGet, nodev1.PowerServiceRebootProcedure, "", http.StatusMethodNotAllowed},
		{"a path like a procedure's", http.MethodPost, "/x/.." + nodev1.PowerServiceRebootProcedure, "", http.StatusNotImplemented},
	} {
		request, err := http.NewRequest(tt.method, w.url()+tt.path, strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		if tt.method == http.MethodPost {
			request.Header.Set("Content-Type", "application/json")
		}
		if tt.origin != "" {
			request.Header.Set("Origin", tt.origin)
		}
		response, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		if response.Body.Close(); response.StatusCode != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, response.StatusCode, tt.want)
		}
	}
	if len(w.power.done) > 0 {
		t.Error(w.power.done)
	}
}

func TestListenTakesBothFamilies(t *testing.T) {
	l, err := listen(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	for _, host := range []string{"127.0.0.1", "::1"} {
		c, err := net.Dial("tcp", net.JoinHostPort(host, port))
		if err != nil && host == "::1" {
			t.Log("this host has no IPv6: only IPv4 is tried")
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		c.Close()
	}
}

// TestVarInMemory: the API works, and says what will not last.
func TestVarInMemory(t *testing.T) {
	f := start(t, func(o *Options) { o.Limits.Farewell = time.Millisecond })
	f.cancel()
	<-f.ended
	f.machine.Storage.Set(state.Storage{})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		f.ended <- Run(ctx, f.machine, Options{StateDir: f.stateDir, Listen: f.listen, Events: f.events})
	}()
	f.address = <-f.addresses
	reader := f.events.Reader(512)
	for {
		e, err := reader.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(e.Message, "/var is in memory") {
			break
		}
	}
	if got := f.status(f.client(f.ca.client(t, "rita", []string{"stele:reader"}, nil))); got != 200 {
		t.Error(got)
	}
	cancel()
}
