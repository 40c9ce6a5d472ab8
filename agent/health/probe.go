package health

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"

	"github.com/stele-os/stele/agent/plan"
)

// Exec runs a command inside the container and returns its exit code.
type Exec func(ctx context.Context, command []string) (int, error)

// Asker returns the question that a probe asks.
func Asker(p plan.Probe, exec Exec) func(context.Context) error {
	switch {
	case p.HTTP != "":
		return func(ctx context.Context) error { return askHTTP(ctx, p.HTTP) }
	case p.TCP != "":
		return func(ctx context.Context) error { return askTCP(ctx, p.TCP) }
	default:
		return func(ctx context.Context) error { return askExec(ctx, p.Exec, exec) }
	}
}

// client keeps no connection: a probe must see whether the container accepts new ones. Certificates are not judged, as in Kubernetes.
var client = &http.Client{
	Transport: &http.Transport{
		DisableKeepAlives: true,
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // see above
	},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

func askHTTP(ctx context.Context, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return fmt.Errorf("cannot ask %q: %w", url, err)
	}
	req.Header.Set("User-Agent", "stele-probe")
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("cannot ask %q: %w", url, err)
	}
	defer resp.Body.Close()
	_, _ = io.CopyN(io.Discard, resp.Body, 10<<10)
	if resp.StatusCode < 200 || resp.StatusCode > 399 {
		return fmt.Errorf("%q answers %s", url, resp.Status)
	}
	return nil
}

func askTCP(ctx context.Context, address string) error {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("cannot connect to %q: %w", address, err)
	}
	return conn.Close()
}

func askExec(ctx context.Context, command []string, exec Exec) error {
	code, err := exec(ctx, command)
	if err != nil {
		return fmt.Errorf("cannot run %q: %w", command, err)
	}
	if code != 0 {
		return fmt.Errorf("%q exits %d", command, code)
	}
	return nil
}
