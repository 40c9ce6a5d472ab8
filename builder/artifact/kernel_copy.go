package artifact

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// copyWhole copies a file so that the final name appears only when all of it is on disk.
func copyWhole(from, to string) error {
	source, err := os.Open(from)
	if err != nil {
		return fmt.Errorf("cannot open build result: %w", err)
	}
	defer source.Close()
	temporary, err := os.CreateTemp(filepath.Dir(to), ".part-*")
	if err != nil {
		return fmt.Errorf("cannot write %q: %w", to, err)
	}
	defer os.Remove(temporary.Name())
	if err := fill(temporary, source); err != nil {
		return fmt.Errorf("cannot write %q: %w", to, err)
	}
	if err := os.Rename(temporary.Name(), to); err != nil {
		return fmt.Errorf("cannot write %q: %w", to, err)
	}
	return nil
}

func fill(to *os.File, from io.Reader) error {
	_, err := io.Copy(to, from)
	if err == nil {
		err = to.Chmod(0o644)
	}
	if err == nil {
		err = to.Sync()
	}
	if closeErr := to.Close(); err == nil {
		err = closeErr
	}
	return err
}
