package repository

import (
	"context"
	"errors"
	"io"
)

// Source yields ranges of a repository's files. What it yields is trusted with nothing.
type Source interface {
	// Open returns length bytes of the file at path from offset; length -1 means to the end. A file that does not exist is ErrNotFound.
	// The reader ends with an error when the source breaks, stalls, or sends less or more than asked for.
	Open(ctx context.Context, path string, offset, length int64) (io.ReadCloser, error)
	// String names the source in errors: a URL without credentials, or "the operator's bundle".
	String() string
}

// ErrNotFound says that the repository has no such file.
var ErrNotFound = errors.New("not found")
