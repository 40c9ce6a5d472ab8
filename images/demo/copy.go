package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

// copyBytes is how much of a file is in memory at a time.
const copyBytes = 1 << 20

// copyFrom is what a plain program does with the files of an image: fetch, write, make durable, hash. Benchmarks of updates are measured by it.
func copyFrom(w http.ResponseWriter, r *http.Request) {
	begun := time.Now()
	total, err := copyAll(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	fmt.Fprintf(w, "%d bytes in %.3f seconds\n", total, time.Since(begun).Seconds())
}

func copyAll(r *http.Request) (total int64, err error) {
	f, err := os.OpenFile(r.FormValue("path"), os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o644)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	buffer := make([]byte, copyBytes)
	for _, url := range r.Form["url"] {
		n, err := fetchInto(r, f, url, buffer)
		total += n
		if err != nil {
			return total, err
		}
	}
	return total, f.Sync()
}

func fetchInto(r *http.Request, f *os.File, url string, buffer []byte) (int64, error) {
	request, err := http.NewRequestWithContext(r.Context(), http.MethodGet, url, nil)
	if err != nil {
		return 0, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("%s answers %s", url, response.Status)
	}
	sum := sha256.New()
	n, err := io.CopyBuffer(struct{ io.Writer }{io.MultiWriter(f, sum)}, struct{ io.Reader }{response.Body}, buffer)
	if err == nil {
		fmt.Printf("demo: %d bytes of %s, sha256 %x\n", n, url, sum.Sum(nil))
	}
	return n, err
}
