package repository

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/stele-os/stele/agent/fault"
)

// finalError is one that a second attempt would not heal.
type finalError struct{ error }

func (f finalError) Unwrap() error { return f.error }

func final(format string, args ...any) error { return finalError{fmt.Errorf(format, args...)} }

func isFinal(err error) bool {
	var f finalError
	var certificate *tls.CertificateVerificationError
	return errors.As(err, &f) || errors.As(err, &certificate)
}

// transient are answers behind which the next attempt may succeed (RFC 9110 §15, RFC 6585 §4).
var transient = []int{http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError,
	http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout}

// ask is one attempt at a range; length -1 is the whole file.
func (h *HTTP) ask(ctx context.Context, u *url.URL, offset, length int64) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, finalError{withoutURL(err)}
	}
	req.Header.Set("User-Agent", "stele")
	if length >= 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-%d", offset, offset+length-1))
	}
	resp, err := h.client.Do(req)
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			return nil, cause
		}
		if resp != nil { // a redirect was refused: the answer that asked for it is closed already
			return nil, finalError{withoutURL(err)}
		}
		return nil, withoutURL(err)
	}
	if err := h.check(resp, offset, length); err != nil {
		resp.Body.Close()
		return nil, err
	}
	return resp, nil
}

// withoutURL is an error of net/http without its address, which a caller names without credentials.
func withoutURL(err error) error {
	var e *url.Error
	if errors.As(err, &e) {
		return e.Err
	}
	return err
}

// check decides whether the answer is the one that was asked for.
func (h *HTTP) check(resp *http.Response, offset, length int64) error {
	status := fmt.Sprintf("the server answered %d %s", resp.StatusCode, http.StatusText(resp.StatusCode))
	switch {
	case slices.Contains([]int{http.StatusNotFound, http.StatusGone, http.StatusForbidden}, resp.StatusCode):
		// Object stores answer 403 for what does not exist where the list is not public.
		return final("%w: %s", ErrNotFound, status)
	case slices.Contains(transient, resp.StatusCode):
		return errors.New(status)
	case resp.Header.Get("Content-Encoding") != "":
		return final("the server answered with content encoding %q", resp.Header.Get("Content-Encoding"))
	case length < 0 && resp.StatusCode == http.StatusOK:
		if resp.ContentLength > h.o.MaxFileBytes {
			return final("it is larger than %d bytes", h.o.MaxFileBytes)
		}
		return nil
	case length >= 0 && resp.StatusCode == http.StatusOK && offset == 0:
		return nil // the whole file begins with what was asked for; the rest is not read
	case length >= 0 && resp.StatusCode == http.StatusOK:
		err := fmt.Errorf("the server does not serve ranges: it answered 200 for bytes from %d; take one that does, such as stele repo serve", offset)
		return finalError{fault.As(fault.Precondition, err)} // it will not learn it while one waits
	case resp.StatusCode != http.StatusPartialContent || length < 0:
		return final("%s", status)
	}
	return checkRange(resp, offset, length)
}

// checkRange compares Content-Range (RFC 9110 §14.4) with what was asked for.
func checkRange(resp *http.Response, offset, length int64) error {
	value := resp.Header.Get("Content-Range")
	if !strings.HasPrefix(value, fmt.Sprintf("bytes %d-%d/", offset, offset+length-1)) {
		return final("the server answered with range %q, asked for were bytes %d-%d", value, offset, offset+length-1)
	}
	if resp.ContentLength >= 0 && resp.ContentLength != length {
		return final("the server sends %d bytes, asked for were %d", resp.ContentLength, length)
	}
	return nil
}
