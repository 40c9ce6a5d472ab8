package server

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"

	nodev1 "github.com/stele-os/stele/api/node/v1"
)

// methods are all methods of all services, by their descriptors.
func methods() map[string]protoreflect.MethodDescriptor {
	all := map[string]protoreflect.MethodDescriptor{}
	services := nodev1.File_api_node_v1_node_proto.Services()
	for i := range services.Len() {
		list := services.Get(i).Methods()
		for j := range list.Len() {
			all[fmt.Sprintf("/%s/%s", services.Get(i).FullName(), list.Get(j).Name())] = list.Get(j)
		}
	}
	return all
}

func TestEveryMethodHasARule(t *testing.T) {
	all := methods()
	if len(all) < 23 {
		t.Errorf("only %d methods found", len(all))
	}
	for procedure, method := range all {
		r, known := rules[procedure]
		switch {
		case !known || r.role == noRole:
			t.Errorf("%s has no rule", procedure)
		case r.maxBytes <= 0:
			t.Errorf("%s has no bound", procedure)
		case r.stream != (method.IsStreamingClient() || method.IsStreamingServer()):
			t.Errorf("%s: stream is %t", procedure, r.stream)
		}
	}
	for procedure := range rules {
		if all[procedure] == nil {
			t.Errorf("the rule for %s is for nothing", procedure)
		}
	}
}

// wantedRoles is written down a second time, so that a change of the table is a decision.
var wantedRoles = map[role][]string{
	reader: {"MachineService/Status", "MachineService/WatchEvents", "LogService/Read", "ConfigService/Get", "ConfigService/Check", "ContainerService/List",
		"UpdateService/Check", "IdentityService/Get"},
	operator: {"ConfigService/Apply", "ConfigService/Confirm", "ConfigService/Revert", "ContainerService/Restart", "UpdateService/Stage", "UpdateService/Push",
		"UpdateService/Cancel", "UpdateService/Apply", "UpdateService/Commit", "UpdateService/Rollback", "PowerService/Reboot", "PowerService/PowerOff"},
	admin: {"ResetService/Reset", "IdentityService/CreateRequest", "IdentityService/Install"},
}

// protocol is one way to send a request that is understood as a call and then cannot be decoded: it shows whether the caller may, and does nothing.
type protocol struct {
	name        string
	contentType func(stream bool) string
	body        func(stream bool) []byte
	code        func(stream bool, status int, grpc string, answer []byte) string
}

var protocols = []protocol{
	{
		name: "Connect JSON",
		contentType: func(stream bool) string {
			if stream {
				return "application/connect+json"
			}
			return "application/json"
		},
		body: func(stream bool) []byte {
			if stream {
				return append([]byte{0, 0, 0, 0, 5}, "{nope"...)
			}
			return []byte("{nope")
		},
		code: func(_ bool, _ int, _ string, answer []byte) string {
			at := bytes.IndexByte(answer, '{')
			if at < 0 {
				return "no answer"
			}
			var unary struct{ Code string }
			var end struct{ Error struct{ Code string } }
			_ = json.Unmarshal(answer[at:], &unary)
			_ = json.Unmarshal(answer[at:], &end)
			return unary.Code + end.Error.Code
		},
	},
	{
		name:        "gRPC",
		contentType: func(bool) string { return "application/grpc" },
		body:        func(bool) []byte { return []byte{0, 0, 0, 0, 1, 0xff} },
		code: func(_ bool, _ int, grpc string, _ []byte) string {
			return map[string]string{"7": "permission_denied", "3": "invalid_argument", "16": "unauthenticated", "12": "unimplemented"}[grpc]
		},
	},
}

// TestRoles calls every method as everybody, by both protocols, over TLS.
func TestRoles(t *testing.T) {
	t.Parallel()
	f := startWhole(t)
	foreign := newAuthority(t, "foreign")
	strong := []string{"stele:admin"}
	clients := []struct {
		name  string
		cert  *tls.Certificate
		role  role
		shaky bool // the handshake fails
	}{
		{"no certificate", nil, noRole, true},
		{"foreign CA", foreign.client(t, "mallory", strong, nil), noRole, true},
		{"expired", f.ca.client(t, "old", strong, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }), noRole, true},
		{"not yet valid", f.ca.client(t, "early", strong, func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Minute) }), noRole, true},
		{"wrong key usage", f.ca.client(t, "server", strong, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }), noRole, true},
		{"no role", f.ca.client(t, "nobody", []string{"stele:root", "admin"}, nil), noRole, false},
		{"reader", f.ca.client(t, "rita", []string{"stele:reader"}, nil), reader, false},
		{"operator", f.ca.client(t, "otto", []string{"stele:operator", "stele:reader"}, nil), operator, false},
		{"admin", f.ca.client(t, "ada", []string{"stele:admin"}, nil), admin, false},
	}
	want := map[string]role{}
	for r, list := range wantedRoles {
		for _, procedure := range list {
			want["/stele.node.v1."+procedure] = r
		}
	}
	for _, client := range clients {
		t.Run(client.name, func(t *testing.T) {
			http := f.client(client.cert)
			for procedure, method := range methods() {
				stream := method.IsStreamingClient() || method.IsStreamingServer()
				for _, p := range protocols {
					status, grpc, answer, err := f.post(http, procedure, p.contentType(stream), p.body(stream))
					if client.shaky {
						if err == nil {
							t.Errorf("%s by %s: answered with %d", procedure, p.name, status)
						}
						continue
					}
					if err != nil {
						t.Errorf("%s by %s: %v", procedure, p.name, err)
						continue
					}
					expected := "permission_denied"
					if client.role >= want[procedure] && want[procedure] != noRole {
						expected = "invalid_argument"
					}
					if got := p.code(stream, status, grpc, answer); got != expected {
						t.Errorf("%s by %s: %q, want %q (%d %q)", procedure, p.name, got, expected, status, answer)
					}
				}
			}
		})
	}
}

func TestRoleOf(t *testing.T) {
	ca := newAuthority(t, "ca")
	for _, tt := range []struct {
		organizations []string
		want          role
	}{
		{nil, noRole},
		{[]string{"Stele:Admin", "stele:admin ", "stele"}, noRole},
		{[]string{"example", "stele:reader"}, reader},
		{[]string{"stele:reader", "stele:admin", "stele:operator"}, admin},
	} {
		c := ca.client(t, "x", tt.organizations, nil)
		leaf, err := x509.ParseCertificate(c.Certificate[0])
		if err != nil {
			t.Fatal(err)
		}
		if got := roleOf(leaf); got != tt.want {
			t.Errorf("%q: %s, want %s", tt.organizations, got, tt.want)
		}
	}
}

// TestRoleForLog: what a log shows decides who may read it.
func TestRoleForLog(t *testing.T) {
	for source, want := range map[nodev1.LogReadRequest_Source]role{
		nodev1.LogReadRequest_SOURCE_KERNEL: reader, nodev1.LogReadRequest_SOURCE_AGENT: reader,
		nodev1.LogReadRequest_SOURCE_CONTAINER: operator, nodev1.LogReadRequest_SOURCE_AUDIT: admin,
	} {
		if got := roleForLog(&nodev1.LogReadRequest{Source: source}); got != want {
			t.Errorf("%s: %s, want %s", source, got, want)
		}
	}
	f := start(t, nil)
	for organization, wants := range map[string][]string{"stele:reader": {"SOURCE_KERNEL", "SOURCE_AGENT"}, "stele:operator": {"SOURCE_CONTAINER"}, "stele:admin": {"SOURCE_AUDIT"}} {
		http := f.client(f.ca.client(t, "x", []string{organization}, nil))
		for _, source := range []string{"SOURCE_CONTAINER", "SOURCE_AUDIT"} {
			body := fmt.Sprintf(`{"source":%q,"container":"web"}`, source)
			_, _, answer, err := f.post(http, nodev1.LogServiceReadProcedure, "application/connect+json", append([]byte{0, 0, 0, 0, byte(len(body))}, body...))
			denied := len(answer) > 0 && answer[0] == 2 && strings.Contains(string(answer), "permission_denied") // nothing before the end of the stream
			may := slices.Contains(wants, source) || organization == "stele:admin"
			if err != nil || denied == may {
				t.Errorf("%s as %s: %s %v", source, organization, answer, err)
			}
		}
	}
}
