package config

import (
	"fmt"
	"io"
)

// Report prints problems one per line and returns an error that counts them; nil where there are none.
func Report(w io.Writer, file string, problems []Problem) error {
	if len(problems) == 0 {
		return nil
	}
	for _, p := range problems {
		fmt.Fprintln(w, p)
	}
	return reported{file, len(problems)}
}

// reported is the error of a document whose problems have been printed.
type reported struct {
	file  string
	count int
}

func (r reported) Error() string {
	if r.count == 1 {
		return fmt.Sprintf("cannot accept %q: it has a problem", r.file)
	}
	return fmt.Sprintf("cannot accept %q: it has %d problems", r.file, r.count)
}

// Hint names the next step.
func (r reported) Hint() string {
	return "docs/configuration.md describes every field; `stele config schema` prints a schema for your editor"
}
