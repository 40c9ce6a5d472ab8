package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/stele-os/stele/builder/store"
)

// BuildTime is how long one build took.
type BuildTime struct {
	// Name says what was known beforehand.
	Name    string  `json:"name"`
	Seconds float64 `json:"seconds"`
	Stages  []Stage `json:"stages"`
}

// Stage is one stage of a build, as `stele build` told it.
type Stage struct {
	Name string `json:"name"`
	// Outcome in the builder's words: "made", "from the store", ...
	Outcome string  `json:"outcome"`
	Seconds float64 `json:"seconds"`
}

// measureBuilds builds three times: with an empty cache (which holds the kernel alone, unless that is to be built too) and an empty Go build
// cache, into a new directory with a full cache, and once more with nothing to do.
func measureBuilds(ctx context.Context, definition string, kernelToo bool) ([]BuildTime, error) {
	dir, err := os.MkdirTemp("", "bench-build-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	cache, err := emptyCache(filepath.Join(dir, "cache"), kernelToo)
	if err != nil {
		return nil, err
	}
	env := append(os.Environ(), "STELE_CACHE="+cache, "GOCACHE="+filepath.Join(dir, "go"))
	cold := "nothing cached but the kernel"
	if kernelToo {
		cold = "nothing cached"
	}
	var list []BuildTime
	for _, b := range []struct{ name, output string }{{cold, "first"}, {"all parts cached", "second"}, {"nothing changed", "second"}} {
		started := time.Now()
		command := exec.CommandContext(ctx, filepath.Join("bin", "stele"), "build", definition, "--output", filepath.Join(dir, b.output))
		command.Env = env
		output, err := command.CombinedOutput()
		if err != nil {
			return nil, fmt.Errorf("cannot build %q: %w\n%s", definition, err, output)
		}
		list = append(list, BuildTime{b.name, time.Since(started).Seconds(), parseStages(string(output))})
		fmt.Fprintf(os.Stderr, "build, %s: %.1f s\n", b.name, list[len(list)-1].Seconds)
	}
	return list, nil
}

// emptyCache makes a build cache that holds at most the kernels of the real one, as hard links.
func emptyCache(dir string, kernelToo bool) (string, error) {
	real, err := store.DefaultDir(os.Getenv)
	if err != nil || kernelToo {
		return dir, err
	}
	kernels, err := filepath.Glob(filepath.Join(real, "artifacts", "kernel-*", "*"))
	if err != nil {
		return dir, err
	}
	hidden, err := filepath.Glob(filepath.Join(real, "artifacts", "kernel-*", ".stele-*"))
	if err != nil {
		return dir, err
	}
	for _, file := range append(kernels, hidden...) {
		relative, err := filepath.Rel(real, file)
		if err != nil {
			return dir, err
		}
		to := filepath.Join(dir, relative)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return dir, err
		}
		if err := os.Link(file, to); err != nil && !errors.Is(err, os.ErrExist) {
			if err := copyFile(to, file); err != nil {
				return dir, err
			}
		}
	}
	return dir, nil
}

// copyFile is for a cache on another file system.
func copyFile(to, from string) error {
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, content, 0o644)
}

// stageLine is "[3/9] boot loader   made, 0.1 s" or "..., 5 min 23 s".
var stageLine = regexp.MustCompile(`^\[\d+/\d+\] (\S+(?: \S+)*)  +(.*), (?:(\d+) min )?(\d+(?:\.\d+)?) s$`)

// parseStages keeps the last line of each stage: a long one reports in between.
func parseStages(output string) []Stage {
	var stages []Stage
	for line := range strings.Lines(output) {
		m := stageLine.FindStringSubmatch(strings.TrimSpace(line))
		if m == nil {
			continue
		}
		minutes, _ := strconv.ParseFloat("0"+m[3], 64)
		seconds, _ := strconv.ParseFloat(m[4], 64)
		stage := Stage{m[1], m[2], 60*minutes + seconds}
		if len(stages) > 0 && stages[len(stages)-1].Name == stage.Name {
			stages[len(stages)-1] = stage
		} else {
			stages = append(stages, stage)
		}
	}
	return stages
}
