package debian

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// The common ar format as deb(5) uses it: an 8-byte magic, then members with a 60-byte header, each padded to an even length.
const (
	arMagic       = "!<arch>\n"
	arHeaderBytes = 60
	arTrailer     = "`\n"
)

// arReader walks the members of an ar archive.
type arReader struct {
	r       io.Reader
	member  *io.LimitedReader
	padding int64
}

func newArReader(r io.Reader) (*arReader, error) {
	magic := make([]byte, len(arMagic))
	if _, err := io.ReadFull(r, magic); err != nil || string(magic) != arMagic {
		return nil, errors.New("it is no ar archive")
	}
	return &arReader{r: r}, nil
}

// next returns the following member's name and content, or io.EOF.
func (a *arReader) next() (name string, content io.Reader, err error) {
	if a.member != nil {
		if _, err := io.Copy(io.Discard, a.member); err != nil {
			return "", nil, err
		}
		if a.member.N > 0 {
			return "", nil, io.ErrUnexpectedEOF
		}
		if _, err := io.CopyN(io.Discard, a.r, a.padding); err != nil {
			return "", nil, io.EOF // the last member's padding may be missing
		}
	}
	header := make([]byte, arHeaderBytes)
	if _, err := io.ReadFull(a.r, header); err != nil {
		return "", nil, err
	}
	if string(header[58:]) != arTrailer {
		return "", nil, errors.New("an ar member's header is damaged")
	}
	// Offsets: name 0-15, date 16-27, owner 28-33, group 34-39, mode 40-47, size 48-57.
	size, err := strconv.ParseInt(strings.TrimRight(string(header[48:58]), " "), 10, 64)
	if err != nil || size < 0 {
		return "", nil, fmt.Errorf("an ar member has the size %q", header[48:58])
	}
	a.member = &io.LimitedReader{R: a.r, N: size}
	a.padding = size % 2
	return strings.TrimRight(strings.TrimRight(string(header[:16]), " "), "/"), a.member, nil
}
