package metadata

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestRedirects: within the host they are followed, to another one they are refused.
func TestRedirects(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the other host was asked") }))
	defer other.Close()
	mux := http.NewServeMux()
	mux.Handle("/away", http.RedirectHandler(other.URL, http.StatusFound))
	mux.Handle("/here", http.RedirectHandler("/there", http.StatusFound))
	mux.Handle("/loop", http.RedirectHandler("/loop", http.StatusFound))
	mux.HandleFunc("/there", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("x")) })
	s := httptest.NewServer(mux)
	defer s.Close()
	get := func(path string) (string, error) {
		b, err := request(t.Context(), newClient(nil), http.MethodGet, s.URL+path, nil, 10)
		return string(b), err
	}
	if b, err := get("/here"); err != nil || b != "x" {
		t.Errorf("here: %q, %v", b, err)
	}
	if _, err := get("/away"); err == nil || !strings.Contains(err.Error(), "refusing the redirect to another host") {
		t.Errorf("away: %v", err)
	}
	if _, err := get("/loop"); err == nil || !strings.Contains(err.Error(), "more than 5 redirects") {
		t.Errorf("loop: %v", err)
	}
}
