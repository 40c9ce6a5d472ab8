// Package imds emulates metadata services over HTTP, with their state: EC2's (IMDSv2) and a NoCloud seed.
//
// The unit tests of agent/metadata and the tests that boot a machine in QEMU use the same emulators. They are no product code and
// are strict where the real service is: a request that the real one refuses is refused here, so that a client which passes here is
// one that works there.
package imds

import (
	"crypto/rand"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// EC2 emulates the instance metadata service of one EC2 instance ("Use the Instance Metadata Service", EC2 user guide).
// The zero value is an instance without user data.
type EC2 struct {
	// UserData nil: the instance has none, and the service answers 404.
	UserData   []byte
	InstanceID string
	Hostname   string
	// Disabled: the service is switched off for the instance (HttpEndpoint=disabled).
	Disabled bool
	// Now is time.Now where nil.
	Now func() time.Time

	mu     sync.Mutex
	tokens map[string]time.Time
	reads  []string
}

// Reads returns the paths that were answered with 200, in order.
func (e *EC2) Reads() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]string(nil), e.reads...)
}

// ServeHTTP implements http.Handler.
func (e *EC2) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case e.Disabled:
		http.Error(w, "Forbidden", http.StatusForbidden)
	case r.URL.Path == "/latest/api/token":
		e.token(w, r)
	case r.Method != http.MethodGet:
		http.Error(w, "Method Not Allowed", http.StatusMethodNotAllowed)
	case !e.valid(r.Header.Get("X-aws-ec2-metadata-token")):
		http.Error(w, "Unauthorized", http.StatusUnauthorized)
	default:
		e.get(w, r)
	}
}

// token hands out a session token: PUT only, lifetime required and at most six hours, never to a proxy.
func (e *EC2) token(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPut {
		http.Error(w, "Method Not Allowed", http.StatusMethodNotAllowed)
		return
	}
	if r.Header.Get("X-Forwarded-For") != "" {
		http.Error(w, "Forbidden", http.StatusForbidden)
		return
	}
	ttl, err := strconv.Atoi(r.Header.Get("X-aws-ec2-metadata-token-ttl-seconds"))
	if err != nil || ttl < 1 || ttl > 21600 {
		http.Error(w, "Bad Request", http.StatusBadRequest)
		return
	}
	token := rand.Text() + "=="
	e.mu.Lock()
	if e.tokens == nil {
		e.tokens = map[string]time.Time{}
	}
	e.tokens[token] = e.now().Add(time.Duration(ttl) * time.Second)
	e.mu.Unlock()
	w.Header().Set("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", strconv.Itoa(ttl))
	_, _ = w.Write([]byte(token))
}

func (e *EC2) valid(token string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	expiry, ok := e.tokens[token]
	return ok && e.now().Before(expiry)
}

func (e *EC2) now() time.Time {
	if e.Now != nil {
		return e.Now()
	}
	return time.Now()
}

func (e *EC2) get(w http.ResponseWriter, r *http.Request) {
	values := map[string][]byte{"/latest/user-data": e.UserData}
	if e.InstanceID != "" {
		values["/latest/meta-data/instance-id"] = []byte(e.InstanceID)
	}
	if e.Hostname != "" {
		values["/latest/meta-data/local-hostname"] = []byte(e.Hostname)
	}
	value := values[r.URL.Path]
	if value == nil {
		http.NotFound(w, r)
		return
	}
	e.mu.Lock()
	e.reads = append(e.reads, r.URL.Path)
	e.mu.Unlock()
	w.Header().Set("Content-Type", "application/octet-stream")
	_, _ = w.Write(value)
}
