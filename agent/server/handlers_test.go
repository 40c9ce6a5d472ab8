package server

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/stele-os/stele/agent/server/audit"
	"github.com/stele-os/stele/agent/state"
	nodev1 "github.com/stele-os/stele/api/node/v1"
)

// whole is a fixture with everything behind it.
type whole struct {
	*fixture
	configuration *fakeConfiguration
	updates       *fakeUpdates
	power         *fakePower
	containerLogs string
}

func startWhole(t *testing.T) *whole {
	w := &whole{configuration: &fakeConfiguration{document: "PASSWORD"}, power: &fakePower{}, updates: &fakeUpdates{block: make(chan struct{})}, containerLogs: t.TempDir()}
	w.fixture = start(t, func(o *Options) {
		o.Configuration, o.Power, o.Containers, o.Updates, o.ContainerLogs = w.configuration, w.power, fakeContainers{}, w.updates, w.containerLogs
	})
	w.updates.machine = w.machine
	return w
}

func (w *whole) as(organization string) *http.Client {
	return w.client(w.ca.client(w.t, "someone", []string{organization}, nil))
}

func code(err error) connect.Code {
	if err == nil {
		return 0
	}
	return connect.CodeOf(err)
}

func TestConfiguration(t *testing.T) {
	t.Parallel()
	w, ctx := startWhole(t), context.Background()
	reader := nodev1.NewConfigServiceClient(w.as("stele:reader"), w.url())
	operator := nodev1.NewConfigServiceClient(w.as("stele:operator"), w.url(), connect.WithGRPC())
	admin := nodev1.NewConfigServiceClient(w.as("stele:admin"), w.url(), connect.WithGRPCWeb())
	for name, c := range map[string]nodev1.ConfigServiceClient{"masked": reader, "PASSWORD": admin} {
		if got, err := c.Get(ctx, connect.NewRequest(&nodev1.GetConfigRequest{})); err != nil || got.Msg.GetDocument() != name {
			t.Errorf("%v %v", got, err)
		}
	}
	if got, err := reader.Check(ctx, connect.NewRequest(&nodev1.CheckConfigRequest{Document: "bad"})); err != nil || len(got.Msg.GetErrors()) != 1 {
		t.Errorf("%v %v", got, err)
	}
	got, err := operator.Apply(ctx, connect.NewRequest(&nodev1.ApplyConfigRequest{Document: "new", TryFor: durationpb.New(time.Minute)}))
	if err != nil || got.Msg.GetDigest() != "sha256:2" || got.Msg.GetRevertAt().GetSeconds() != 1 {
		t.Errorf("%v %v", got, err)
	}
	if c := w.configuration; c.caller != "CN=someone,O=stele:operator" || c.cas || c.trial != time.Minute || c.document != "new" {
		t.Errorf("%+v", c)
	}
	if _, err := admin.Apply(ctx, connect.NewRequest(&nodev1.ApplyConfigRequest{Document: "new"})); err != nil || !w.configuration.cas {
		t.Errorf("an admin may change CAs: %v", err)
	}
	for _, tt := range []struct {
		request *nodev1.ApplyConfigRequest
		want    connect.Code
	}{
		{&nodev1.ApplyConfigRequest{IfDigest: "sha256:old"}, connect.CodeAborted},
		{&nodev1.ApplyConfigRequest{TryFor: durationpb.New(-time.Second)}, connect.CodeInvalidArgument},
		{&nodev1.ApplyConfigRequest{TryFor: durationpb.New(25 * time.Hour)}, connect.CodeInvalidArgument},
		{&nodev1.ApplyConfigRequest{TryFor: &durationpb.Duration{Seconds: 1, Nanos: -1}}, connect.CodeInvalidArgument},
		{&nodev1.ApplyConfigRequest{Document: "panic"}, connect.CodeInternal},
	} {
		if _, err := operator.Apply(ctx, connect.NewRequest(tt.request)); code(err) != tt.want || strings.Contains(err.Error(), "a bug") {
			t.Errorf("%v: %v", tt.request, err)
		}
	}
	if _, err := operator.Confirm(ctx, connect.NewRequest(&nodev1.ConfirmConfigRequest{})); code(err) != connect.CodeFailedPrecondition {
		t.Error(err)
	}
	if got, err := operator.Revert(ctx, connect.NewRequest(&nodev1.RevertConfigRequest{})); err != nil || got.Msg.GetDigest() != "sha256:0" {
		t.Error(err)
	}
}

func TestPowerAndReset(t *testing.T) {
	w, ctx := startWhole(t), context.Background()
	power := nodev1.NewPowerServiceClient(w.as("stele:operator"), w.url())
	if _, err := power.Reboot(ctx, connect.NewRequest(&nodev1.RebootRequest{Reason: "a\nb"})); err != nil {
		t.Error(err)
	}
	if _, err := power.PowerOff(ctx, connect.NewRequest(&nodev1.PowerOffRequest{Reason: "c"})); err != nil {
		t.Error(err)
	}
	reset := nodev1.NewResetServiceClient(w.as("stele:admin"), w.url())
	for _, name := range []string{"", "web-2"} {
		if _, err := reset.Reset(ctx, connect.NewRequest(&nodev1.ResetRequest{ConfirmHostname: name})); code(err) != connect.CodeInvalidArgument {
			t.Errorf("%q: %v", name, err)
		}
	}
	if _, err := reset.Reset(ctx, connect.NewRequest(&nodev1.ResetRequest{ConfirmHostname: "web-1"})); err != nil {
		t.Error(err)
	}
	want := "reboot by CN=someone,O=stele:operator: a?b|off by CN=someone,O=stele:operator: c|reset by CN=someone,O=stele:admin"
	if got := strings.Join(w.power.done, "|"); got != want {
		t.Errorf("%q", got)
	}
}

func TestContainers(t *testing.T) {
	w, ctx := startWhole(t), context.Background()
	w.machine.Containers.Set([]state.Container{{Name: "web", Phase: state.ContainerRunning}})
	c := nodev1.NewContainerServiceClient(w.as("stele:operator"), w.url())
	if got, err := c.List(ctx, connect.NewRequest(&nodev1.ListContainersRequest{})); err != nil || len(got.Msg.GetContainers()) != 1 {
		t.Errorf("%v %v", got, err)
	}
	for name, want := range map[string]connect.Code{"web": 0, "db": connect.CodeNotFound, "": connect.CodeInvalidArgument} {
		if _, err := c.Restart(ctx, connect.NewRequest(&nodev1.RestartContainerRequest{Name: name})); code(err) != want {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestReadLogs(t *testing.T) {
	t.Parallel()
	w := startWhole(t)
	logs := nodev1.NewLogServiceClient(w.as("stele:admin"), w.url())
	read := func(r *nodev1.LogReadRequest) (lines []string, err error) {
		stream, err := logs.Read(context.Background(), connect.NewRequest(r))
		if err != nil {
			return nil, err
		}
		defer stream.Close()
		for stream.Receive() {
			lines = append(lines, stream.Msg().GetStream()+" "+stream.Msg().GetLine())
		}
		return lines, stream.Err()
	}
	w.agentLog.Add(time.Now(), "the agent's line")
	content := "2026-11-21T09:00:00Z stdout F one\n2026-11-21T09:00:01Z stderr F two\n"
	if err := os.WriteFile(filepath.Join(w.containerLogs, "web.log"), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	container := nodev1.LogReadRequest_SOURCE_CONTAINER
	for _, tt := range []struct {
		name    string
		request *nodev1.LogReadRequest
		want    string // within the lines
		code    connect.Code
	}{
		{"agent", &nodev1.LogReadRequest{Source: nodev1.LogReadRequest_SOURCE_AGENT}, "the agent's line", 0},
		{"container", &nodev1.LogReadRequest{Source: container, Container: "web"}, "stdout one|stderr two", 0},
		{"tail", &nodev1.LogReadRequest{Source: container, Container: "web", TailLines: 1}, "stderr two", 0},
		{"since", &nodev1.LogReadRequest{Source: container, Container: "web", Since: timestamppb.New(time.Date(2026, 11, 21, 9, 0, 1, 0, time.UTC))}, "stderr two", 0},
		{"audit", &nodev1.LogReadRequest{Source: nodev1.LogReadRequest_SOURCE_AUDIT}, `"procedure":"/stele.node.v1.LogService/Read"`, 0},
		{"no source", &nodev1.LogReadRequest{}, "", connect.CodeInvalidArgument},
		{"a path", &nodev1.LogReadRequest{Source: container, Container: "../../etc/passwd"}, "", connect.CodeInvalidArgument},
		{"no such container", &nodev1.LogReadRequest{Source: container, Container: "db"}, "", connect.CodeNotFound},
		{"no time", &nodev1.LogReadRequest{Source: container, Container: "web", Since: &timestamppb.Timestamp{Nanos: -1}}, "", connect.CodeInvalidArgument},
	} {
		t.Run(tt.name, func(t *testing.T) {
			lines, err := read(tt.request)
			if code(err) != tt.code || !strings.Contains(strings.Join(lines, "|"), tt.want) {
				t.Errorf("%q %v", lines, err)
			}
		})
	}
}

func TestInstallIdentity(t *testing.T) {
	t.Parallel()
	w, ctx := startWhole(t), context.Background()
	c := nodev1.NewIdentityServiceClient(w.as("stele:admin"), w.url())
	before := w.waitAPI(func(state.API) bool { return true })
	request, err := c.CreateRequest(ctx, connect.NewRequest(&nodev1.CreateIdentityRequestRequest{}))
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode([]byte(request.Msg.GetRequest()))
	parsed, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil || parsed.Subject.CommonName != "web-1" {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(5), Subject: parsed.Subject, DNSNames: parsed.DNSNames, NotBefore: time.Now().Add(-time.Minute),
		NotAfter: time.Now().Add(30 * time.Minute), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	der, err := x509.CreateCertificate(rand.Reader, template, w.ca.cert, parsed.PublicKey, w.ca.key)
	if err != nil {
		t.Fatal(err)
	}
	chain := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	if _, err := c.Install(ctx, connect.NewRequest(&nodev1.InstallIdentityRequest{Certificates: chain + w.ca.pem})); err != nil {
		t.Fatal(err)
	}
	after := w.waitAPI(func(a state.API) bool { return !a.SelfSigned })
	if after.Fingerprint != before.Fingerprint || after.Port != before.Port {
		t.Errorf("%+v, then %+v", before, after)
	}
	// A client that trusts the operator's CA needs no pin now.
	settings := clientSettings(w.ca.client(t, "rita", []string{"stele:reader"}, nil))
	settings.InsecureSkipVerify, settings.ServerName, settings.RootCAs = false, "web-1", x509.NewCertPool()
	settings.RootCAs.AddCert(w.ca.cert)
	if got := w.status(&http.Client{Transport: &http.Transport{TLSClientConfig: settings, ForceAttemptHTTP2: true, DisableKeepAlives: true}}); got != 200 {
		t.Error(got)
	}
	if _, err := c.Install(ctx, connect.NewRequest(&nodev1.InstallIdentityRequest{Certificates: w.ca.pem})); code(err) != connect.CodeInvalidArgument {
		t.Error(err)
	}
}

// TestAudit: who, what, verdict and result of calls, refusals and handshakes.
func TestAudit(t *testing.T) {
	t.Parallel()
	w, ctx := startWhole(t), context.Background()
	operator := nodev1.NewConfigServiceClient(w.as("stele:operator"), w.url())
	if _, err := operator.Apply(ctx, connect.NewRequest(&nodev1.ApplyConfigRequest{Document: "PASSWORD=hunter2"})); err != nil {
		t.Fatal(err)
	}
	_, _ = operator.Apply(ctx, connect.NewRequest(&nodev1.ApplyConfigRequest{Document: "x", IfDigest: "sha256:old"}))
	_, _ = nodev1.NewPowerServiceClient(w.as("stele:reader"), w.url()).Reboot(ctx, connect.NewRequest(&nodev1.RebootRequest{}))
	_ = w.status(w.client(newAuthority(t, "foreign").client(t, "mallory", []string{"stele:admin"}, nil)))
	_ = w.status(w.as("stele:reader"))
	w.cancel() // ends the server, so that the last record is there
	<-w.ended
	w.ended <- nil

	var changes []string
	for _, r := range w.records(audit.Changes) {
		if r.Subject != "CN=someone,O=stele:operator" || r.Serial == "" || len(r.Fingerprint) != 64 || r.Remote == "" || r.Role != "operator" || r.Time.IsZero() {
			t.Errorf("%+v", r)
		}
		if strings.Contains(r.Request, "hunter2") {
			t.Error("a secret is in it")
		}
		changes = append(changes, r.Event+" "+short(r.Procedure)+" "+r.Code)
	}
	if got, want := strings.Join(changes, "|"), "begin ConfigService/Apply |end ConfigService/Apply ok|begin ConfigService/Apply |end ConfigService/Apply aborted"; got != want {
		t.Errorf("%q", got)
	}
	seen := map[string]bool{}
	for _, r := range w.records(audit.Other) {
		seen[r.Event+" "+short(r.Procedure)+" "+r.Code+" "+r.Subject] = true
	}
	for _, want := range []string{"refused PowerService/Reboot permission_denied CN=someone,O=stele:reader", "handshake   CN=mallory,O=stele:admin", "end MachineService/Status ok CN=someone,O=stele:reader"} {
		if !seen[want] {
			t.Errorf("%q is not among %v", want, seen)
		}
	}
}

// TestFullVar: a machine whose /var takes no more audit records can still be repaired, and its own log says what was asked.
func TestFullVar(t *testing.T) {
	t.Parallel()
	w := startWhole(t)
	dir := filepath.Join(w.stateDir, "audit")
	if err := os.MkdirAll(w.stateDir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir, nil, 0o600); err != nil { // a file where the directory should be: nothing can be written, not by root either
		t.Fatal(err)
	}
	operator := nodev1.NewConfigServiceClient(w.as("stele:operator"), w.url())
	if _, err := operator.Apply(context.Background(), connect.NewRequest(&nodev1.ApplyConfigRequest{Document: "repair"})); err != nil {
		t.Error(err)
	}
	var lines []string
	stream, err := nodev1.NewLogServiceClient(w.as("stele:admin"), w.url()).Read(context.Background(), connect.NewRequest(&nodev1.LogReadRequest{Source: nodev1.LogReadRequest_SOURCE_AGENT}))
	if err != nil {
		t.Fatal(err)
	}
	for stream.Receive() {
		lines = append(lines, stream.Msg().GetLine())
	}
	if got := strings.Join(lines, "\n"); !strings.Contains(got, "cannot write the audit log") || !strings.Contains(got, "ConfigService/Apply") {
		t.Errorf("%q", got)
	}
}
