package update

import (
	"fmt"
	"runtime/debug"
)

// contain turns a panic of f into an error: what a goroutine of the manager's does must not end PID 1.
func contain(f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the update manager failed: panic: %v\n%s", r, debug.Stack())
		}
	}()
	return f()
}
