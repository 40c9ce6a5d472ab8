package transfer

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stele-os/stele/agent/update/repository"
)

// TestOverHTTP: a whole transfer from a server that hangs up again and again.
func TestOverHTTP(t *testing.T) {
	i := newImage(t, "1.1.0", contentOf(seeds(6*256), 2048))
	var asked atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if r.URL.Path != "/repo/targets/web.bundle" {
			http.NotFound(w, r)
			return
		}
		http.ServeContent(&shortWriter{ResponseWriter: w, left: 1 << 20}, r, "", time.Time{}, bytes.NewReader(i.file))
	}))
	defer s.Close()
	src, err := repository.NewHTTP(repository.HTTPOptions{URL: s.URL + "/repo/", Pause: time.Nanosecond})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	p := newPlace(i)
	progress, err := install(t.Context(), src, i, p.slot(), Running{})
	if err != nil {
		t.Fatal(err)
	}
	i.mustBeIn(t, p)
	table := i.target.Info.Table
	if want := table.Length + table.Offset - ukiFrames(i); asked.Load() < 5 || progress.Fetched != want {
		t.Errorf("%d requests, %+v, want %d bytes fetched", asked.Load(), progress, want)
	}
}

// shortWriter lets the server hang up behind a megabyte.
type shortWriter struct {
	http.ResponseWriter
	left int
}

func (s *shortWriter) Write(p []byte) (int, error) {
	n, err := s.ResponseWriter.Write(p[:min(len(p), s.left)])
	s.left -= n
	if err == nil && n < len(p) {
		err = http.ErrHandlerTimeout
	}
	return n, err
}
