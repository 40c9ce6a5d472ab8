package server

import (
	"context"
	"errors"
	"fmt"

	"connectrpc.com/connect"

	"github.com/stele-os/stele/agent/fault"
)

var codes = map[fault.Kind]connect.Code{
	fault.Invalid:      connect.CodeInvalidArgument,
	fault.Precondition: connect.CodeFailedPrecondition,
	fault.NotFound:     connect.CodeNotFound,
	fault.Unavailable:  connect.CodeUnavailable,
	fault.Exhausted:    connect.CodeResourceExhausted,
	fault.Aborted:      connect.CodeAborted,
	fault.Denied:       connect.CodePermissionDenied,
	fault.Internal:     connect.CodeInternal,
}

// coded gives an error the code that its kind stands for.
func coded(err error) error {
	var already *connect.Error
	switch {
	case err == nil || errors.As(err, &already):
		return err
	case errors.Is(err, context.Canceled):
		return connect.NewError(connect.CodeCanceled, err)
	case errors.Is(err, context.DeadlineExceeded):
		return connect.NewError(connect.CodeDeadlineExceeded, err)
	}
	code, known := codes[fault.KindOf(err)]
	if !known {
		code = connect.CodeInternal
	}
	return connect.NewError(code, err)
}

func errorf(format string, args ...any) error { return fmt.Errorf(format, args...) }

// wordsOf is an error without its code in front.
func wordsOf(err error) string {
	var c *connect.Error
	if errors.As(err, &c) {
		return c.Message()
	}
	return err.Error()
}
