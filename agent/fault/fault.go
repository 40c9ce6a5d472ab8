// Package fault sorts errors by what the caller can do about them, so that the API can give each a code (Connect's, which are gRPC's) without
// knowing where it came from. The text stays the error's own. An error without a kind is internal.
package fault

import (
	"errors"
	"fmt"
)

// Kind says what the caller can do.
type Kind string

// The kinds.
const (
	Invalid      Kind = "invalid"      // correct the request
	Precondition Kind = "precondition" // bring the machine into another state first
	NotFound     Kind = "not-found"    // name something that exists
	Unavailable  Kind = "unavailable"  // try again later
	Exhausted    Kind = "exhausted"    // a limit: make it smaller, or make room
	Aborted      Kind = "aborted"      // something else came between: look, then try again
	Denied       Kind = "denied"       // use another identity
	Internal     Kind = "internal"
)

type kinded struct {
	error
	kind Kind
}

func (k kinded) Unwrap() error { return k.error }

// New is fmt.Errorf with a kind.
func New(kind Kind, format string, args ...any) error {
	return kinded{fmt.Errorf(format, args...), kind}
}

// As gives an error a kind; nil stays nil, and a kind that the error has already wins.
func As(kind Kind, err error) error {
	if err == nil || KindOf(err) != Internal {
		return err
	}
	return kinded{err, kind}
}

// KindOf returns the outermost kind in the chain of err.
func KindOf(err error) Kind {
	var k kinded
	if errors.As(err, &k) {
		return k.kind
	}
	return Internal
}
