package hardening

import (
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
)

// Document runs the demo as a container that may read every kernel parameter. It shares network and user name space with the machine, as
// all containers do, so that what it reads below /proc/sys is the machine's.
const Document = `apiVersion: stele/v1alpha1
kind: Machine
spec:
  containers:
  - name: demo
    image: demo
    ports: [{containerPort: 8080}]
    securityContext: {runAsUser: 0, capabilities: {add: [SYS_ADMIN]}}
    readinessProbe: {httpGet: {path: /healthz, port: 8080}, periodSeconds: 1}
`

// Read asks the demo at base ("http://127.0.0.1:1234") for the running machine's configuration, command line and parameters, and writes
// them into dir.
func Read(ctx context.Context, base, dir string) (Subject, error) {
	s := Subject{
		Config: filepath.Join(dir, "config"), CommandLine: filepath.Join(dir, "cmdline"), Sysctls: filepath.Join(dir, "sysctls"),
	}
	config, err := get(ctx, base+"/read?path=/proc/config.gz")
	if err != nil {
		return s, err
	}
	unpacked, err := gzip.NewReader(strings.NewReader(config))
	if err != nil {
		return s, fmt.Errorf("cannot unpack /proc/config.gz: %w", err)
	}
	text, err := io.ReadAll(unpacked)
	if err != nil {
		return s, fmt.Errorf("cannot unpack /proc/config.gz: %w", err)
	}
	line, err := get(ctx, base+"/read?path=/proc/cmdline")
	if err != nil {
		return s, err
	}
	sysctls, err := get(ctx, base+"/sysctls")
	if err != nil {
		return s, err
	}
	for _, f := range []struct{ path, content string }{{s.Config, string(text)}, {s.CommandLine, line}, {s.Sysctls, sysctls}} {
		if err := os.WriteFile(f.path, []byte(f.content), 0o644); err != nil {
			return s, err
		}
	}
	return s, nil
}

func get(ctx context.Context, address string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return "", err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("cannot get %q: status %d, %w", address, response.StatusCode, err)
	}
	return string(body), nil
}
