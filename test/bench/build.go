package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// BuildTime is how long one build took.
type BuildTime struct {
	// Name says what was known beforehand.
	Name    string  `json:"name"`
	Seconds float64 `json:"seconds"`
	// Stages is what `stele build --explain` said about each stage.
	Stages string `json:"stages,omitempty"`
}

// measureBuilds builds twice into the same fresh directory: what the store already holds is not built again, so that the first is "cold" only as far
// as outputs go; the second has nothing to do at all.
func measureBuilds(ctx context.Context, definition string) ([]BuildTime, error) {
	dir, err := os.MkdirTemp("", "bench-build-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	var list []BuildTime
	for _, name := range []string{"new output directory, parts from the store", "nothing changed"} {
		started := time.Now()
		output, err := exec.CommandContext(ctx, filepath.Join("bin", "stele"), "build", definition, "--output", dir, "--explain").CombinedOutput()
		if err != nil {
			return nil, fmt.Errorf("cannot build %q: %w\n%s", definition, err, output)
		}
		list = append(list, BuildTime{name, time.Since(started).Seconds(), string(output)})
	}
	return list, nil
}
