package debian

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/clearsign"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// Release is the signed top of one suite: the digests of its indexes.
type Release struct {
	Suite, Codename string
	// Date is when the archive made it; zero when it does not say.
	Date time.Time
	// ValidUntil is zero when the archive gives none (stable suites).
	ValidUntil time.Time
	// ByHash tells that indexes can be fetched by digest, which no mirror update can race with.
	ByHash bool
	files  map[string]IndexFile
}

// IndexFile is one index of a suite.
type IndexFile struct {
	// Path is relative to the suite's directory, such as "main/binary-amd64/Packages.xz".
	Path      string
	SizeBytes int64
	SHA256    string
}

// File returns the index with that path.
func (r *Release) File(path string) (IndexFile, bool) {
	f, ok := r.files[path]
	return f, ok
}

// VerifyRelease checks the clear-signed InRelease against the keyring and returns what was signed. Text around the signed
// block is never looked at.
func VerifyRelease(inRelease []byte, keyring openpgp.EntityList, now time.Time) (*Release, error) {
	block, _ := clearsign.Decode(inRelease)
	if block == nil {
		return nil, errors.New("it holds no OpenPGP signed message")
	}
	config := &packet.Config{Time: func() time.Time { return now }}
	if _, err := block.VerifySignature(keyring, config); err != nil {
		return nil, fmt.Errorf("no signature by a key of the keyring: %w", err)
	}
	release, err := ParseRelease(bytes.NewReader(block.Plaintext))
	if err != nil {
		return nil, err
	}
	if !release.ValidUntil.IsZero() && now.After(release.ValidUntil) {
		return nil, fmt.Errorf("it expired at %s: the mirror is stale", release.ValidUntil.Format(time.RFC3339))
	}
	return release, nil
}

// ParseRelease reads the text of a Release file.
func ParseRelease(r io.Reader) (*Release, error) {
	var first Stanza
	err := ReadStanzas(r, func(s Stanza) error {
		if first != nil {
			return errors.New("a Release has one paragraph, not two")
		}
		first = s
		return nil
	})
	if err != nil {
		return nil, err
	}
	release := &Release{
		Suite:    first.Get("Suite"),
		Codename: first.Get("Codename"),
		ByHash:   first.Get("Acquire-By-Hash") == "yes",
		files:    map[string]IndexFile{},
	}
	if release.Date, err = parseDate(first.Get("Date")); err != nil {
		return nil, err
	}
	if release.ValidUntil, err = parseDate(first.Get("Valid-Until")); err != nil {
		return nil, err
	}
	for line := range strings.SplitSeq(first.Get("SHA256"), "\n") {
		if line == "" {
			continue
		}
		file, err := parseIndexLine(line)
		if err != nil {
			return nil, err
		}
		release.files[file.Path] = file
	}
	return release, nil
}

func parseIndexLine(line string) (IndexFile, error) {
	fields := strings.Fields(line)
	if len(fields) != 3 || !isSHA256(fields[0]) {
		return IndexFile{}, fmt.Errorf("%.80q is no line of the form digest, size, path", line)
	}
	size, err := strconv.ParseInt(fields[1], 10, 64)
	if err != nil || size < 0 {
		return IndexFile{}, fmt.Errorf("%.80q has no valid size", line)
	}
	return IndexFile{Path: fields[2], SizeBytes: size, SHA256: fields[0]}, nil
}

// parseDate reads RFC 1123 with "UTC" or a numeric zone, as archives write it. No text is no date.
func parseDate(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC1123, time.RFC1123Z, "Mon, _2 Jan 2006 15:04:05 MST"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("%.40q is no date", s)
}

func isSHA256(s string) bool {
	return len(s) == 64 && strings.Trim(s, "0123456789abcdef") == ""
}
