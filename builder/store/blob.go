package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
)

// Fetch says where a blob comes from when the store lacks it.
type Fetch struct {
	// Name stands in errors, such as a package's name.
	Name string
	Open func(context.Context) (io.ReadCloser, error)
	// Progress, if set, is told how many bytes of the blob have arrived.
	Progress func(doneBytes int64)
}

// Blob returns the path of the content with that digest, fetching it if the store does not hold it intact.
func (s *Store) Blob(ctx context.Context, want Digest, fetch Fetch) (path string, cached bool, err error) {
	path = s.path("blobs", "sha256", want.SHA256)
	if intact(path, want) {
		return path, true, nil
	}
	unlock, err := s.lock(ctx, "blob-"+want.SHA256)
	if err != nil {
		return "", false, err
	}
	defer unlock()
	if intact(path, want) { // another process fetched it meanwhile
		return path, true, nil
	}
	if err := s.download(ctx, path, want, fetch); err != nil {
		return "", false, s.explain(fmt.Errorf("cannot fetch %q: %w", fetch.Name, err))
	}
	return path, false, nil
}

func intact(path string, want Digest) bool {
	if info, err := os.Stat(path); err != nil || info.Size() != want.SizeBytes {
		return false
	}
	got, err := DigestFile(path)
	return err == nil && got == want
}

func (s *Store) download(ctx context.Context, path string, want Digest, fetch Fetch) error {
	body, err := fetch.Open(ctx)
	if err != nil {
		return err
	}
	defer body.Close()
	file, err := os.CreateTemp(s.path("tmp"), "blob-")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name()) // fails after the rename, as it should
	defer file.Close()
	sum := sha256.New()
	source := &countingReader{ctx: ctx, r: io.LimitReader(body, want.SizeBytes+1), progress: fetch.Progress}
	if _, err := io.Copy(io.MultiWriter(file, sum), source); err != nil {
		return err
	}
	if source.n != want.SizeBytes {
		return fmt.Errorf("it has %s bytes, expected %d", atLeast(source.n, want.SizeBytes), want.SizeBytes)
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != want.SHA256 {
		return fmt.Errorf("it has SHA-256 %s, expected %s", got, want.SHA256)
	}
	if err := file.Chmod(0o644); err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}

func atLeast(got, want int64) string {
	if got > want {
		return fmt.Sprintf("at least %d", got)
	}
	return fmt.Sprint(got)
}

// countingReader reports progress and ends with the context.
type countingReader struct {
	ctx      context.Context
	r        io.Reader
	n        int64
	progress func(int64)
}

func (c *countingReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := c.r.Read(p)
	c.n += int64(n)
	if c.progress != nil {
		c.progress(c.n)
	}
	return n, err
}
