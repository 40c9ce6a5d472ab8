package metadata

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// newClient is an HTTP client that goes straight to the named host and nowhere else: no proxy, no redirect to another host.
func newClient(transport http.RoundTripper) *http.Client {
	if transport == nil {
		transport = &http.Transport{
			DialContext:           (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
			TLSHandshakeTimeout:   5 * time.Second,
			ResponseHeaderTimeout: requestTimeout,
			MaxIdleConns:          1,
			IdleConnTimeout:       requestTimeout,
		}
	}
	return &http.Client{Transport: transport, CheckRedirect: sameHost, Timeout: requestTimeout}
}

// sameHost allows redirects within one host and scheme only: a metadata service is trusted because of its address.
func sameHost(next *http.Request, via []*http.Request) error {
	if len(via) >= 5 {
		return errors.New("more than 5 redirects")
	}
	if first := via[0].URL; next.URL.Host != first.Host || next.URL.Scheme != first.Scheme {
		return fmt.Errorf("refusing the redirect to another host %q", next.URL.Host)
	}
	return nil
}

// statusError is an answer other than 200.
type statusError struct{ code int }

func (e statusError) Error() string {
	return fmt.Sprintf("the server answered %d %s", e.code, http.StatusText(e.code))
}

// hasStatus tells whether err is an answer with this code.
func hasStatus(err error, code int) bool {
	var s statusError
	return errors.As(err, &s) && s.code == code
}

// request asks once and returns the bounded body of a 200 answer.
func request(ctx context.Context, c *http.Client, method, url string, header http.Header, limit int) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		return nil, fmt.Errorf("cannot ask %q: %w", url, err)
	}
	for k, v := range header {
		req.Header[k] = v
	}
	req.Header.Set("User-Agent", "stele")
	resp, err := c.Do(req)
	if err != nil {
		return nil, fmt.Errorf("cannot ask %q: %w", url, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("cannot get %q: %w", url, statusError{resp.StatusCode})
	}
	b, err := readBounded(resp.Body, limit)
	if err != nil {
		return nil, fmt.Errorf("cannot read %q: %w", url, err)
	}
	return b, nil
}
