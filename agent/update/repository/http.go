package repository

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// HTTPOptions of NewHTTP. What is zero has the default that stands beside it.
type HTTPOptions struct {
	// URL of the directory that holds metadata/ and targets/; user and password in it are used, and appear in no error.
	URL string
	// CA is a PEM bundle that is trusted beside the system's.
	CA string
	// MaxRateBytes a second; 0: no bound.
	MaxRateBytes int64
	// MaxTotalBytes of all that is read; 0: no bound.
	MaxTotalBytes int64
	// MaxFileBytes of a file that is read to its end. 4 MiB. Ranges are bounded by their length.
	MaxFileBytes int64
	// Stall is how long nothing may come. 30 s.
	Stall time.Duration
	// MinRateBytes a second must come on average of each Window of waiting for the server. 1 KiB, 60 s.
	MinRateBytes int64
	Window       time.Duration
	// Attempts for one piece of a file, and the pause behind the first of them, which doubles. 5, 500 ms.
	Attempts int
	Pause    time.Duration
}

// HTTP is a repository on a web server that serves ranges (RFC 9110 §14).
//
// It goes straight to the server: no proxy, no cookie, and a redirect leads to the same host, or from https to https. HTTP/1.1 only: the windows
// of HTTP/2 would be memory of PID 1, and a bundle is read in one row. What breaks in the middle of a range is asked for again from there.
type HTTP struct {
	o       HTTPOptions
	base    *url.URL
	client  *http.Client
	limiter *rate.Limiter
	total   atomic.Int64
	stalled error
	// sleep waits for a pause to pass.
	sleep func(context.Context, time.Duration) error
}

// NewHTTP asks nobody yet. Close ends its idle connections.
func NewHTTP(o HTTPOptions) (*HTTP, error) {
	base, err := url.Parse(o.URL)
	if err != nil {
		return nil, errors.New("cannot use the repository's URL: it does not parse") // the error would show a password
	}
	if base.Scheme != "https" && base.Scheme != "http" || base.Host == "" || base.RawQuery != "" || base.Fragment != "" {
		return nil, fmt.Errorf("cannot use repository %q: want http(s)://HOST/PATH/", withoutUser(base))
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool() // a system without roots has the document's
	}
	if o.CA != "" && !roots.AppendCertsFromPEM([]byte(o.CA)) {
		return nil, fmt.Errorf("cannot use repository %q: its CA holds no certificate in PEM", withoutUser(base))
	}
	o.fill()
	h := &HTTP{o: o, base: base, limiter: rate.NewLimiter(rate.Inf, 0), sleep: sleep,
		stalled: fmt.Errorf("nothing came for %s", o.Stall)}
	if o.MaxRateBytes > 0 {
		h.limiter = rate.NewLimiter(rate.Limit(o.MaxRateBytes), int(min(max(o.MaxRateBytes/8, 1<<10), 1<<20)))
	}
	h.client = &http.Client{CheckRedirect: checkRedirect, Transport: &http.Transport{
		DialContext:           (&net.Dialer{Timeout: o.Stall}).DialContext,
		TLSClientConfig:       &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		TLSNextProto:          map[string]func(string, *tls.Conn) http.RoundTripper{},
		TLSHandshakeTimeout:   o.Stall,
		ResponseHeaderTimeout: o.Stall,
		DisableCompression:    true,
		MaxIdleConns:          2,
		IdleConnTimeout:       o.Stall,
		// An answer's header is memory, too.
		MaxResponseHeaderBytes: 64 << 10,
	}}
	return h, nil
}

func (o *HTTPOptions) fill() {
	if o.MaxFileBytes == 0 {
		o.MaxFileBytes = 4 << 20
	}
	if o.Stall == 0 {
		o.Stall = 30 * time.Second
	}
	if o.MinRateBytes == 0 {
		o.MinRateBytes = 1 << 10
	}
	if o.Window == 0 {
		o.Window = time.Minute
	}
	if o.Attempts == 0 {
		o.Attempts = 5
	}
	if o.Pause == 0 {
		o.Pause = 500 * time.Millisecond
	}
}

// String is the URL without credentials.
func (h *HTTP) String() string { return withoutUser(h.base) }

// Close ends idle connections.
func (h *HTTP) Close() { h.client.CloseIdleConnections() }

func withoutUser(u *url.URL) string {
	bare := *u
	bare.User = nil
	return bare.String()
}

// checkRedirect lets a server move files, but never out of TLS, and never to a stranger without it.
func checkRedirect(next *http.Request, via []*http.Request) error {
	first := via[0].URL
	switch {
	case len(via) >= 5:
		return errors.New("more than 5 redirects")
	case next.URL.Scheme != first.Scheme:
		return fmt.Errorf("refusing the redirect from %s to %s", first.Scheme, next.URL.Scheme)
	case next.URL.Scheme != "https" && next.URL.Host != first.Host:
		return fmt.Errorf("refusing the redirect to another host %q", next.URL.Host)
	}
	return nil
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Open asks for a range, or with length -1 for a whole file, again and again while the server has only a bad moment.
func (h *HTTP) Open(ctx context.Context, path string, offset, length int64) (io.ReadCloser, error) {
	if offset < 0 || length == 0 || length < 0 && offset > 0 {
		return nil, fmt.Errorf("cannot ask for %d bytes from %d", length, offset)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	r := &httpReader{h: h, ctx: ctx, cancel: cancel, url: h.base.JoinPath(strings.TrimPrefix(path, "/")), offset: offset, left: length}
	if err := r.connect(nil); err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}
