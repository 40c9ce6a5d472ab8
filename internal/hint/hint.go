// Package hint attaches the user's next step to an error, so that a program prints "hint: " lines below it.
//
// It is no error taxonomy: whoever may act on an error in code uses a typed error of their own and puts the hint around it.
package hint

// Error is an error that knows what the user can do next.
type Error struct {
	cause error
	text  string
}

// New returns cause with a hint; nil stays nil.
func New(cause error, text string) error {
	if cause == nil {
		return nil
	}
	return &Error{cause: cause, text: text}
}

// Error returns the cause's text alone: the hint is printed on its own line.
func (e *Error) Error() string { return e.cause.Error() }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.cause }

// Hint returns the next step.
func (e *Error) Hint() string { return e.text }
