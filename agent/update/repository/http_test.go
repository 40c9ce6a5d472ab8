package repository

import (
	"bytes"
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stele-os/stele/agent/fault"
)

var content = bytes.Repeat([]byte("0123456789abcdef"), 64<<10)

// serve serves content at every path but /missing, after before has let it.
func serve(t *testing.T, before func(http.ResponseWriter, *http.Request) bool) *httptest.Server {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if before == nil || before(w, r) {
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
		}
	}))
	t.Cleanup(s.Close)
	return s
}

// newTestHTTP sleeps no pauses; slept counts them.
func newTestHTTP(t *testing.T, o HTTPOptions) (h *HTTP, slept *atomic.Int64) {
	t.Helper()
	h, err := NewHTTP(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Close)
	slept = &atomic.Int64{}
	h.sleep = func(_ context.Context, d time.Duration) error { slept.Add(int64(d)); return nil }
	return h, slept
}

func get(ctx context.Context, src Source, path string, offset, length int64) ([]byte, error) {
	r, err := src.Open(ctx, path, offset, length)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

func TestHTTPRanges(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/repo/targets/missing" {
			http.NotFound(w, r)
			return false
		}
		return true
	})
	h, _ := newTestHTTP(t, HTTPOptions{URL: s.URL + "/repo"})
	for _, c := range []struct{ offset, length int64 }{{0, -1}, {0, 1}, {5, 100}, {1 << 19, 1 << 19}, {0, 1 << 20}} {
		got, err := get(t.Context(), h, "targets/x", c.offset, c.length)
		want := content[c.offset:]
		if c.length >= 0 {
			want = want[:c.length]
		}
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%v: %d bytes, %v", c, len(got), err)
		}
	}
	if _, err := get(t.Context(), h, "targets/missing", 0, -1); !errors.Is(err, ErrNotFound) || fault.KindOf(err) != fault.Unavailable {
		t.Error(err)
	}
	if _, err := get(t.Context(), h, "targets/x", 1<<20-1, 2); err == nil || !strings.Contains(err.Error(), "the server ") {
		t.Errorf("behind the end: %v", err)
	}
}

// TestHTTPAnswers: each wrong answer is refused by name, and asked for again only where that may help.
func TestHTTPAnswers(t *testing.T) {
	answer := func(status int, header, value, body string) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set(header, value)
			w.WriteHeader(status)
			fmt.Fprint(w, body)
			return false
		}
	}
	for _, c := range []struct {
		name           string
		offset, length int64
		before         func(http.ResponseWriter, *http.Request) bool
		want           string
		asked          int
	}{
		{"whole file for a range", 7, 2, answer(200, "X", "y", "whole"), "the server does not serve ranges: it answered 200 for bytes from 7; take one that does, such as stele repo serve", 1},
		{"another range", 7, 2, answer(206, "Content-Range", "bytes 0-1/9", "01"), `the server answered with range "bytes 0-1/9", asked for were bytes 7-8`, 1},
		{"no range", 7, 2, answer(206, "X", "y", "01"), `the server answered with range "", asked for were bytes 7-8`, 1},
		{"too long", 7, 2, answer(206, "Content-Range", "bytes 7-8/9", "0123"), "the server sends 4 bytes, asked for were 2", 1},
		{"compressed", 0, -1, answer(200, "Content-Encoding", "gzip", "x"), `the server answered with content encoding "gzip"`, 1},
		{"a part of the whole", 0, -1, answer(206, "Content-Range", "bytes 0-1/2", "01"), "the server answered 206 Partial Content", 1},
		{"refused", 0, -1, answer(401, "X", "y", ""), "the server answered 401 Unauthorized", 1},
		{"forbidden", 0, -1, answer(403, "X", "y", ""), "not found: the server answered 403 Forbidden", 1},
		{"busy", 0, -1, answer(503, "X", "y", ""), "the server answered 503 Service Unavailable (3 attempts)", 3},
		{"too large", 0, -1, func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Content-Length", "99999999")
			return false
		}, "it is larger than 4194304 bytes", 1},
		{"endless", 0, -1, func(w http.ResponseWriter, _ *http.Request) bool {
			for w.(http.Flusher).Flush(); ; {
				if _, err := w.Write(content); err != nil {
					return false
				}
			}
		}, "it is larger than 4194304 bytes", 1},
		{"longer than it says", 7, 2, func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Content-Range", "bytes 7-8/9")
			w.WriteHeader(206)
			w.(http.Flusher).Flush()
			fmt.Fprint(w, "0123")
			return false
		}, "the server sends more than was asked for", 1},
	} {
		var asked atomic.Int32
		s := serve(t, func(w http.ResponseWriter, r *http.Request) bool { asked.Add(1); return c.before(w, r) })
		h, _ := newTestHTTP(t, HTTPOptions{URL: s.URL + "/repo/", Attempts: 3})
		_, err := get(t.Context(), h, "x", c.offset, c.length)
		if want := fmt.Sprintf("cannot get %q: %s", s.URL+"/repo/x", c.want); err == nil || err.Error() != want || int(asked.Load()) != c.asked {
			t.Errorf("%s: %v, asked %d times", c.name, err, asked.Load())
		}
		if lasting := strings.Contains(c.want, "ranges"); lasting != (fault.KindOf(err) == fault.Precondition) {
			t.Errorf("%s: %v is of kind %s", c.name, err, fault.KindOf(err))
		}
	}
}

// TestHTTPResumes: a line that breaks in the middle costs no byte twice.
func TestHTTPResumes(t *testing.T) {
	var asked []string
	s := serve(t, func(w http.ResponseWriter, r *http.Request) bool {
		asked = append(asked, r.Header.Get("Range"))
		first, last, _ := strings.Cut(strings.TrimPrefix(r.Header.Get("Range"), "bytes="), "-")
		from, _ := strconv.Atoi(first)
		to, _ := strconv.Atoi(last)
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, to, len(content)))
		w.Header().Set("Content-Length", strconv.Itoa(to-from+1))
		w.WriteHeader(http.StatusPartialContent)
		_, _ = w.Write(content[from:min(from+300<<10, to+1)]) // the server hangs up when less was written
		return false
	})
	h, slept := newTestHTTP(t, HTTPOptions{URL: s.URL, Attempts: 2})
	got, err := get(t.Context(), h, "x", 16, 1<<20-16)
	want := []string{"bytes=16-1048575", "bytes=307216-1048575", "bytes=614416-1048575", "bytes=921616-1048575"}
	if err != nil || !bytes.Equal(got, content[16:]) || !slices.Equal(asked, want) {
		t.Errorf("%d bytes, %v, %q", len(got), err, asked)
	}
	if slept.Load() != 3*int64(500*time.Millisecond) {
		t.Errorf("slept %s", time.Duration(slept.Load()))
	}
}

// TestSlowRetrieval: a server that sends nothing is asked again, one that sends drops is given up.
func TestSlowRetrieval(t *testing.T) {
	over := make(chan struct{})
	trickle := func(every time.Duration) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, r *http.Request) bool {
			w.Header().Set("Content-Length", "1000000")
			for {
				select {
				case <-time.After(every):
					if _, err := w.Write([]byte("x")); err != nil {
						return false
					}
					w.(http.Flusher).Flush()
				case <-over:
					return false
				}
			}
		}
	}
	for _, c := range []struct {
		every  time.Duration
		o      HTTPOptions
		length int64
		want   string
	}{
		{time.Millisecond, HTTPOptions{Window: 50 * time.Millisecond, MinRateBytes: 100 << 10}, -1, "slow retrieval: "},
		{time.Hour, HTTPOptions{Stall: 20 * time.Millisecond, Attempts: 2}, -1, "(2 attempts)"},
	} {
		s := serve(t, trickle(c.every))
		c.o.URL = s.URL
		h, _ := newTestHTTP(t, c.o)
		if _, err := get(t.Context(), h, "x", 0, c.length); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v", err)
		}
	}
	// It is the client's end, not the server's, that a refresh of such a repository comes to.
	f := newForge(t)
	s := serve(t, trickle(time.Millisecond))
	h, _ := newTestHTTP(t, HTTPOptions{URL: s.URL, Window: 50 * time.Millisecond, MinRateBytes: 100 << 10})
	newMachine(t, f.files["metadata/1.root.json"]).mustRefuse(h, "slow retrieval: ")
	close(over)
}

// TestStall: the head comes, and then nothing.
func TestStall(t *testing.T) {
	over := make(chan struct{})
	s := serve(t, func(w http.ResponseWriter, r *http.Request) bool {
		w.Header().Set("Content-Length", "10")
		fmt.Fprint(w, "12345")
		w.(http.Flusher).Flush()
		<-over
		return false
	})
	defer close(over)
	h, _ := newTestHTTP(t, HTTPOptions{URL: s.URL, Stall: 50 * time.Millisecond})
	if _, err := get(t.Context(), h, "x", 0, -1); err == nil || err.Error() != fmt.Sprintf("cannot get %q: nothing came for 50ms", s.URL+"/x") {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(10*time.Millisecond, cancel)
	h, _ = newTestHTTP(t, HTTPOptions{URL: s.URL})
	if _, err := get(ctx, h, "x", 0, -1); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestHTTPLimits(t *testing.T) {
	s := serve(t, nil)
	h, _ := newTestHTTP(t, HTTPOptions{URL: s.URL, MaxTotalBytes: 1<<20 + 10})
	if _, err := get(t.Context(), h, "x", 0, 1<<20); err != nil {
		t.Error(err)
	}
	if _, err := get(t.Context(), h, "x", 0, 11); err == nil || !strings.Contains(err.Error(), "more than 1048586 bytes were read in all") {
		t.Error(err)
	}
	// A byte a second: what one burst has taken is not there for the next one before its context ends.
	h, _ = newTestHTTP(t, HTTPOptions{URL: s.URL, MaxRateBytes: 1})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if got, err := get(ctx, h, "x", 0, 2<<10); len(got) > 1<<10 || err == nil || !strings.Contains(err.Error(), "would exceed context deadline") {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

func TestHTTPRedirects(t *testing.T) {
	var to string
	other := serve(t, nil)
	s := serve(t, func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/x" {
			http.Redirect(w, r, to, http.StatusFound)
			return false
		}
		return true
	})
	h, _ := newTestHTTP(t, HTTPOptions{URL: s.URL})
	for target, want := range map[string]string{
		"/there":                "",
		"/x":                    "more than 5 redirects",
		other.URL + "/x":        "refusing the redirect to another host",
		"https://example.com/x": "refusing the redirect from http to https",
	} {
		to = target
		if _, err := get(t.Context(), h, "x", 0, 5); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", target, err)
		}
	}
}

func TestHTTPTLS(t *testing.T) {
	s := httptest.NewTLSServer(http.FileServerFS(nil))
	s.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "ok") })
	s.Config.ErrorLog = nil
	defer s.Close()
	ca := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}))
	h, _ := newTestHTTP(t, HTTPOptions{URL: s.URL, CA: ca})
	if got, err := get(t.Context(), h, "x", 0, -1); err != nil || string(got) != "ok" {
		t.Errorf("%q, %v", got, err)
	}
	h, slept := newTestHTTP(t, HTTPOptions{URL: s.URL})
	if _, err := get(t.Context(), h, "x", 0, -1); err == nil || !strings.Contains(err.Error(), "certificate") || slept.Load() > 0 {
		t.Errorf("%v", err)
	}
}

func TestNewHTTPRefuses(t *testing.T) {
	for _, o := range []HTTPOptions{{URL: ""}, {URL: "ftp://example.com/"}, {URL: "https://"}, {URL: "https://user:secret@example.com/?q"},
		{URL: "https://user:secret@example.com/%zz"}, {URL: "https://user:secret@example.com/", CA: "none"}} {
		if _, err := NewHTTP(o); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", o.URL, err)
		}
	}
}

// TestCredentialsAreNotShown: neither by String nor by an error.
func TestCredentialsAreNotShown(t *testing.T) {
	var user, password string
	s := serve(t, func(w http.ResponseWriter, r *http.Request) bool {
		user, password, _ = r.BasicAuth()
		w.WriteHeader(http.StatusUnauthorized)
		return false
	})
	h, _ := newTestHTTP(t, HTTPOptions{URL: strings.Replace(s.URL, "://", "://user:secret@", 1)})
	_, err := get(t.Context(), h, "x", 0, -1)
	s.Close()
	_, refused := get(t.Context(), h, "x", 0, -1)
	for _, text := range []string{h.String(), fmt.Sprint(err), fmt.Sprint(refused)} {
		if strings.Contains(text, "secret") || strings.Contains(text, "<nil>") {
			t.Error(text)
		}
	}
	if user != "user" || password != "secret" {
		t.Errorf("%q %q", user, password)
	}
}
