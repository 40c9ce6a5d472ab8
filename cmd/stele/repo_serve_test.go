package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
)

// Machines read bundles in ranges.
func TestServeRepository(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "one.bundle"), []byte("0123456789"), 0o600); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended, asked := make(chan error, 1), make(chan string, 1)
	go func() {
		ended <- serveRepository(ctx, listener, dir, func(r *http.Request) { asked <- r.URL.Path + " " + r.Header.Get("Range") })
	}()
	request, _ := http.NewRequest(http.MethodGet, "http://"+listener.Addr().String()+"/one.bundle", nil)
	request.Header.Set("Range", "bytes=3-5")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if body, _ := io.ReadAll(answer.Body); answer.StatusCode != http.StatusPartialContent || string(body) != "345" {
		t.Errorf("got %s, %q", answer.Status, body)
	}
	if line := <-asked; line != "/one.bundle bytes=3-5" {
		t.Errorf("reported was %q", line)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("Ctrl-C is no error: %v", err)
	}
}
