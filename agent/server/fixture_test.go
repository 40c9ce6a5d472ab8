package server

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/stele-os/stele/agent/plan"
	"github.com/stele-os/stele/agent/server/events"
	"github.com/stele-os/stele/agent/server/logs"
	"github.com/stele-os/stele/agent/state"
)

// authority is a CA of a test.
type authority struct {
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
	pem  string
}

func newAuthority(t testing.TB, name string) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &authority{key, cert, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))}
}

// client issues a certificate; change may spoil it.
func (a *authority) client(t testing.TB, name string, organizations []string, change func(*x509.Certificate)) *tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name, Organization: organizations},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	if change != nil {
		change(template)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// fixture is a running API server on the loopback device.
type fixture struct {
	t         testing.TB
	machine   *state.Machine
	ca        *authority
	address   string
	addresses chan string // of each listener, in order
	stateDir  string
	events    *events.Hub
	agentLog  *logs.Agent
	cancel    context.CancelFunc
	ended     chan error
}

func start(t testing.TB, change func(*Options)) *fixture {
	t.Helper()
	f := &fixture{t: t, machine: &state.Machine{}, ca: newAuthority(t, "operators"), addresses: make(chan string, 16), stateDir: filepath.Join(t.TempDir(), "stele"),
		events: events.NewHub(time.Now), agentLog: logs.NewAgent(), ended: make(chan error, 1)}
	o := Options{
		StateDir: f.stateDir, ContainerLogs: t.TempDir(), Events: f.events, AgentLog: f.agentLog, BuildTime: time.Now().Add(-time.Hour),
		Log:    slog.New(logs.NewHandler(f.agentLog, slog.DiscardHandler)),
		Listen: f.listen,
	}
	if change != nil {
		change(&o)
	}
	f.machine.Storage.Set(state.Storage{VarDevice: "/dev/vda6"})
	f.machine.Desired.Set(plan.Desired{Hostname: "web-1", API: plan.API{Port: 7835, ClientCAs: f.ca.pem}})
	ctx, cancel := context.WithCancel(context.Background())
	f.cancel = cancel
	go func() { f.ended <- Run(ctx, f.machine, o) }()
	t.Cleanup(func() { cancel(); <-f.ended })
	f.address = <-f.addresses
	f.waitAPI(func(a state.API) bool { return a.Port != 0 })
	return f
}

func (f *fixture) listen(context.Context, int) (net.Listener, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err == nil {
		f.addresses <- l.Addr().String()
	}
	return l, err
}

func (f *fixture) waitAPI(ok func(state.API) bool) state.API {
	f.t.Helper()
	for {
		a, _, changed := f.machine.API.Watch()
		if ok(a) {
			return a
		}
		select {
		case <-changed:
		case <-time.After(20 * time.Second):
			f.t.Fatalf("it stays %+v", a)
		}
	}
}

func clientSettings(c *tls.Certificate) *tls.Config {
	settings := &tls.Config{InsecureSkipVerify: true}
	if c != nil {
		// Whatever the server asks for: tests send certificates that do not fit, too.
		settings.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return c, nil }
	}
	return settings
}

// client speaks HTTP/2, as all clients of ours do.
func (f *fixture) client(c *tls.Certificate) *http.Client {
	transport := &http.Transport{TLSClientConfig: clientSettings(c), ForceAttemptHTTP2: true}
	f.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func (f *fixture) url() string { return "https://" + f.address }

// post sends one request and returns status, the gRPC status of header or trailer, and body.
func (f *fixture) post(client *http.Client, procedure, contentType string, body []byte) (status int, grpc string, answer []byte, err error) {
	request, err := http.NewRequest(http.MethodPost, f.url()+procedure, bytes.NewReader(body))
	if err != nil {
		f.t.Fatal(err)
	}
	request.Header.Set("Content-Type", contentType)
	if contentType == "application/json" {
		request.Header.Set("Connect-Protocol-Version", "1")
	}
	request.Header.Set("Te", "trailers")
	response, err := client.Do(request)
	if err != nil {
		return 0, "", nil, err
	}
	defer response.Body.Close()
	answer, err = io.ReadAll(response.Body)
	grpc = response.Header.Get("Grpc-Status")
	if grpc == "" {
		grpc = response.Trailer.Get("Grpc-Status")
	}
	return response.StatusCode, grpc, answer, err
}
