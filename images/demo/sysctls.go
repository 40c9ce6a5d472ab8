package main

import (
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
)

// sysctls lists every kernel parameter below root that can be read, as `sysctl -a` does: a "name = value" for each line of its value.
func sysctls(root string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			value, err := os.ReadFile(path)
			if err != nil {
				return nil // some are for writing only
			}
			name := strings.ReplaceAll(strings.TrimPrefix(path, root+"/"), "/", ".")
			for line := range strings.Lines(string(value)) {
				fmt.Fprintf(w, "%s = %s\n", name, strings.TrimSpace(line))
			}
			return nil
		})
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	}
}
