package main

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

func TestHandler(t *testing.T) {
	t.Setenv("STELE_VERSION", "1.2.3")
	path := filepath.Join(t.TempDir(), "file")
	h := handler()
	files := httptest.NewServer(http.StripPrefix("/", http.FileServer(http.Dir("."))))
	defer files.Close()
	source := url.QueryEscape(files.URL + "/main.go")
	tests := []struct {
		target string
		code   int
		want   string
	}{
		{"/", 200, "version  1.2.3"},
		{"/healthz", 200, "ok"},
		{"/env", 200, "STELE_VERSION=1.2.3"},
		{"/id", 200, "uid "},
		{"/alloc?mib=1", 200, "took 1 MiB"},
		{"/alloc?mib=x", 400, "no number"},
		{"/exit?code=x", 400, "no number"},
		{"/kill?pid=-1&signal=9", 400, "no number"},
		{"/kill?signal=0&pid=" + strconv.Itoa(os.Getpid()), 200, "sent signal 0"},
		{"/write?data=abc&path=" + url.QueryEscape(path), 200, "written"},
		{"/read?path=" + url.QueryEscape(path), 200, "abc"},
		{"/read?path=/does/not/exist", 404, "no such file"},
		{"/fill?path=/dev/full", 200, "wrote 0 bytes: write /dev/full: no space left"},
		{"/sysctls", 200, "\nkernel.ostype = Linux\n"},
		{"/proc/1/../../etc/passwd", 307, ""},
		{"/proc/1/environ", 404, ""},
		{"/list?path=/proc/self", 200, "\nroot /\n"},
		{"/list?path=/does/not/exist", 404, "no such file"},
		{"/unhealthy", 200, ""},
		{"/healthz", 503, "asked"},
		{"/copy?url=" + source + "&url=" + source + "&path=" + url.QueryEscape(path), 200, "bytes in"},
		{"/copy?url=" + source + "x&path=" + url.QueryEscape(path), 502, "404"},
		{"/copy?path=/does/not/exist", 502, "no such file"},
		{"/nothing", 404, ""},
	}
	for _, tt := range tests {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", tt.target, nil))
		if w.Code != tt.code || !strings.Contains(w.Body.String(), tt.want) {
			t.Errorf("GET %s: %d %q, want %d with %q", tt.target, w.Code, w.Body, tt.code, tt.want)
		}
	}
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
}
