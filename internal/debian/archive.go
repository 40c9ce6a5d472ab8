package debian

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
)

// Bounds on what a mirror may make us hold in memory: trixie's InRelease has 140 KB, its Packages 55 MB.
const (
	maxInReleaseBytes = 16 << 20
	maxIndexBytes     = 512 << 20
)

// ErrNotFound tells that the mirror does not have a file (any more).
var ErrNotFound = errors.New("the mirror does not have it")

// Archive is one Debian mirror, trusted through a keyring.
type Archive struct {
	// Mirror is the base address, without "dists".
	Mirror  string
	Keyring openpgp.EntityList
	Client  *http.Client
	Now     func() time.Time
}

// Index verifies a suite's signed index and calls each for every package of component and architecture. It returns the date
// at which the archive signed.
func (a *Archive) Index(ctx context.Context, suite, component, architecture string, each func(Package) error) (time.Time, error) {
	release, err := a.release(ctx, suite)
	if err != nil {
		return time.Time{}, fmt.Errorf("cannot trust the index of suite %q: %w", suite, err)
	}
	name, packages, err := a.packages(ctx, release, suite, component+"/binary-"+architecture)
	if err != nil {
		return time.Time{}, fmt.Errorf("cannot read the index of suite %q for %s: %w", suite, architecture, err)
	}
	err = ReadStanzas(packages, func(s Stanza) error {
		p, err := packageOf(s)
		if err != nil {
			return err
		}
		return each(p)
	})
	if err != nil {
		return time.Time{}, fmt.Errorf("cannot read %q of suite %q: %w", name, suite, err)
	}
	return release.Date, nil
}

func (a *Archive) release(ctx context.Context, suite string) (*Release, error) {
	body, err := a.Open(ctx, "dists/"+suite+"/InRelease")
	if err != nil {
		return nil, err
	}
	defer body.Close()
	text, err := io.ReadAll(io.LimitReader(body, maxInReleaseBytes))
	if err != nil {
		return nil, err
	}
	release, err := VerifyRelease(text, a.Keyring, a.Now())
	if err != nil {
		return nil, err
	}
	if suite != release.Suite && suite != release.Codename {
		return nil, fmt.Errorf("the mirror answered with suite %q (%q)", release.Suite, release.Codename)
	}
	return release, nil
}

// packages fetches the smallest published form of an index and returns it decompressed and verified.
func (a *Archive) packages(ctx context.Context, release *Release, suite, dir string) (string, io.Reader, error) {
	for _, suffix := range []string{".xz", ".gz", ""} {
		file, ok := release.File(dir + "/Packages" + suffix)
		if !ok {
			continue
		}
		content, err := a.index(ctx, release, suite, file)
		if err != nil {
			return file.Path, nil, err
		}
		plain, err := decompress(bytes.NewReader(content), suffix)
		if err != nil {
			return file.Path, nil, err
		}
		return file.Path, io.LimitReader(plain, maxIndexBytes), nil
	}
	return "", nil, fmt.Errorf("the signed Release lists no %s/Packages", dir)
}

func (a *Archive) index(ctx context.Context, release *Release, suite string, file IndexFile) ([]byte, error) {
	if file.SizeBytes > maxIndexBytes {
		return nil, fmt.Errorf("%q has %d bytes, more than %d", file.Path, file.SizeBytes, maxIndexBytes)
	}
	base := "dists/" + suite + "/"
	candidates := []string{base + file.Path}
	if release.ByHash {
		candidates = []string{base + path.Dir(file.Path) + "/by-hash/SHA256/" + file.SHA256, base + file.Path}
	}
	var body io.ReadCloser
	var err error
	for _, candidate := range candidates {
		if body, err = a.Open(ctx, candidate); !errors.Is(err, ErrNotFound) {
			break
		}
	}
	if err != nil {
		return nil, err
	}
	defer body.Close()
	content, err := io.ReadAll(io.LimitReader(body, file.SizeBytes+1))
	if err != nil {
		return nil, err
	}
	if sum := sha256.Sum256(content); hex.EncodeToString(sum[:]) != file.SHA256 {
		return nil, fmt.Errorf("%q has SHA-256 %x, the signed Release says %s", file.Path, sum, file.SHA256)
	}
	return content, nil
}

// Open requests one file of the mirror. The caller verifies what it reads.
func (a *Archive) Open(ctx context.Context, name string) (io.ReadCloser, error) {
	address := strings.TrimRight(a.Mirror, "/") + "/" + name
	ctx, cancel := context.WithCancelCause(ctx)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		cancel(nil)
		return nil, fmt.Errorf("cannot fetch %q: %w", address, err)
	}
	response, err := a.Client.Do(request)
	if err != nil {
		cancel(nil)
		return nil, fmt.Errorf("cannot fetch %q: %w", address, err)
	}
	if response.StatusCode == http.StatusOK {
		return newStallReader(ctx, cancel, response.Body, stallLimit), nil
	}
	response.Body.Close()
	cancel(nil)
	if response.StatusCode == http.StatusNotFound || response.StatusCode == http.StatusGone {
		return nil, fmt.Errorf("cannot fetch %q: %w", address, ErrNotFound)
	}
	return nil, fmt.Errorf("cannot fetch %q: the server answered %q", address, response.Status)
}

func packageOf(s Stanza) (Package, error) {
	p := Package{
		Name: s.Get("Package"), Version: s.Get("Version"), Architecture: s.Get("Architecture"),
		Path: s.Get("Filename"), SHA256: s.Get("SHA256"),
	}
	size, err := strconv.ParseInt(s.Get("Size"), 10, 64)
	if err != nil || size < 0 {
		return Package{}, fmt.Errorf("package %q has the size %q", p.Name, s.Get("Size"))
	}
	p.SizeBytes = size
	if p.Name == "" || p.Version == "" || !isSHA256(p.SHA256) || path.Clean("/"+p.Path) != "/"+p.Path {
		return Package{}, fmt.Errorf("package %q has no version, path or SHA-256", p.Name)
	}
	return p, nil
}
