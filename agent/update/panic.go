package update

import (
	"errors"
	"fmt"
	"runtime/debug"
)

var errPanic = errors.New("the update manager failed")

func panicError(r any) error { return fmt.Errorf("panic: %v\n%s", r, debug.Stack()) }
