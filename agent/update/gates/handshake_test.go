package gates

import (
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"io"
	"log"
	"net"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stele-os/stele/agent/state"
)

// The server asks for a client certificate that the handshake does not have.
func TestHandshake(t *testing.T) {
	server := httptest.NewUnstartedServer(nil)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.TLS = &tls.Config{MinVersion: tls.VersionTLS13, ClientAuth: tls.RequireAndVerifyClientCert}
	server.StartTLS()
	defer server.Close()
	sum := sha256.Sum256(server.Certificate().RawSubjectPublicKeyInfo)
	api := state.API{Port: server.Listener.Addr().(*net.TCPAddr).Port, Fingerprint: "SHA256:" + base64.RawStdEncoding.EncodeToString(sum[:])}
	if err := handshake(t.Context(), api); err != nil {
		t.Error(err)
	}
	other := api
	other.Fingerprint = "SHA256:other"
	if err := handshake(t.Context(), other); err == nil || !strings.Contains(err.Error(), "another server answers") {
		t.Errorf("got %v", err)
	}
	server.Close()
	if err := handshake(t.Context(), api); err == nil {
		t.Error("nobody listens, and no error")
	}
}
