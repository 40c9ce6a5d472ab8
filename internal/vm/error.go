package vm

// hintError is an error that knows what a person can do next.
type hintError struct {
	err  error
	hint string
}

func (e *hintError) Error() string { return e.err.Error() }
func (e *hintError) Unwrap() error { return e.err }

// Hint is the next step, for the command line to print.
func (e *hintError) Hint() string { return e.hint }
