package imds

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// TestEC2RefusesWhatTheServiceRefuses: the emulator is as strict as the service it stands for.
func TestEC2RefusesWhatTheServiceRefuses(t *testing.T) {
	now := time.Unix(1000, 0)
	e := &EC2{UserData: []byte("x"), Now: func() time.Time { return now }}
	ask := func(method, path string, header map[string]string) (int, string) {
		r := httptest.NewRequest(method, path, nil)
		for k, v := range header {
			r.Header.Set(k, v)
		}
		w := httptest.NewRecorder()
		e.ServeHTTP(w, r)
		b, _ := io.ReadAll(w.Body)
		return w.Code, string(b)
	}
	const ttl, tokenHeader, tokenPath = "X-aws-ec2-metadata-token-ttl-seconds", "X-aws-ec2-metadata-token", "/latest/api/token"
	code, token := ask(http.MethodPut, tokenPath, map[string]string{ttl: "60"})
	if code != 200 {
		t.Fatal(code)
	}
	for name, c := range map[string]struct {
		method, path string
		header       map[string]string
		want         int
	}{
		"no token":       {http.MethodGet, "/latest/user-data", nil, 401},
		"wrong token":    {http.MethodGet, "/latest/user-data", map[string]string{tokenHeader: "guess"}, 401},
		"token":          {http.MethodGet, "/latest/user-data", map[string]string{tokenHeader: token}, 200},
		"unknown path":   {http.MethodGet, "/latest/meta-data/nothing", map[string]string{tokenHeader: token}, 404},
		"GET of a token": {http.MethodGet, tokenPath, map[string]string{ttl: "60"}, 405},
		"no lifetime":    {http.MethodPut, tokenPath, nil, 400},
		"long lifetime":  {http.MethodPut, tokenPath, map[string]string{ttl: "21601"}, 400},
		"by a proxy":     {http.MethodPut, tokenPath, map[string]string{ttl: "60", "X-Forwarded-For": "192.0.2.1"}, 403},
	} {
		if code, _ := ask(c.method, c.path, c.header); code != c.want {
			t.Errorf("%s: %d, want %d", name, code, c.want)
		}
	}
	now = now.Add(61 * time.Second)
	if code, _ := ask(http.MethodGet, "/latest/user-data", map[string]string{tokenHeader: token}); code != 401 {
		t.Errorf("expired token: %d, want 401", code)
	}
}
