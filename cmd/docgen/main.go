// Command docgen writes the generated documents into a folder; `make generate` runs it.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/stele-os/stele/docs/reference"
)

func main() {
	api := flag.String("api", "api/v1alpha1", "`folder` of the document's Go source")
	out := flag.String("out", "docs", "`folder` to write to")
	flag.Parse()
	if err := run(*api, *out); err != nil {
		fmt.Fprintln(os.Stderr, "docgen:", err)
		os.Exit(1)
	}
}

func run(api, out string) error {
	files, err := reference.Files(api)
	if err != nil {
		return err
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(out, name), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}
