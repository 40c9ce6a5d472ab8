package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	nodev1 "github.com/stele-os/stele/api/node/v1"
	"github.com/stele-os/stele/internal/hint"
	"github.com/stele-os/stele/operator/node"
	"github.com/stele-os/stele/test/qemu/machine"
	"github.com/stele-os/stele/test/versions"
)

// Apply is how long a small update takes from the word to service.
type Apply struct {
	// Answer is from the call to the container's answer in the new version, Commit to the new version's commit (3 s of it are the probation).
	Answer float64 `json:"answerSeconds"`
	Commit float64 `json:"commitSeconds"`
}

// patch is what changes in the agent between two versions: a function more in the middle of the program, so that everything behind it moves, as with
// a fix of a vulnerability in a library.
const patch = `package network

import (
	"os"
	"strings"
)

func init() {
	if strings.Contains(os.Getenv("STELE_NETWORK_PATCHED"), "\x00") {
		panic("a variable of the environment with a NUL byte")
	}
}
`

// patched builds and publishes a version of the same image whose agent differs.
func (s *stand) patched(ctx context.Context, number string) (machine.Image, error) {
	source := filepath.Join(s.builder.Dir, "source")
	if err := copySource(ctx, source, s.builder.Repository); err != nil {
		return machine.Image{}, err
	}
	if err := os.WriteFile(filepath.Join(source, "agent", "network", "patched.go"), []byte(patch), 0o644); err != nil {
		return machine.Image{}, err
	}
	b := s.builder
	b.Repository, b.Dir = source, filepath.Join(source, "build", "versions")
	image, err := b.Build(ctx, versions.Version{Number: number})
	if err == nil {
		err = s.Publish(ctx, image, "")
	}
	return image, err
}

// copySource copies the files that git knows, and those that it would take.
func copySource(ctx context.Context, to, from string) error {
	command := exec.CommandContext(ctx, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	command.Dir = from
	var problem bytes.Buffer
	command.Stderr = &problem
	list, err := command.Output()
	if err != nil {
		return hint.New(fmt.Errorf("cannot list sources: %w: %s", err, &problem), "the benchmark of updates needs git and a work tree")
	}
	for name := range strings.SplitSeq(strings.TrimRight(string(list), "\x00"), "\x00") {
		target := filepath.Join(to, name)
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return err
		}
		if err := copyFile(target, filepath.Join(from, name)); err != nil && !os.IsNotExist(err) {
			return err
		}
	}
	return nil
}

// change stages a version whose agent alone differs, and applies it.
func (s *stand) change(ctx context.Context, first machine.Image) (staging Staging, apply Apply, err error) {
	const number = "1.0.1"
	image, err := s.patched(ctx, number)
	if err != nil {
		return staging, apply, err
	}
	staging = Staging{Name: "the agent changed", Runs: 1}
	if staging.Bytes, err = imageBytes(image); err != nil {
		return staging, apply, err
	}
	g, err := s.start(ctx, first)
	if err != nil {
		return staging, apply, err
	}
	defer g.end()
	if err := pause(ctx, settleTime); err != nil {
		return staging, apply, err
	}
	if err := s.watched(ctx, g, number, &staging); err != nil {
		return staging, apply, err
	}
	apply, err = g.apply(ctx, number)
	return staging, apply, err
}

// apply restarts into a staged version.
func (g *guest) apply(ctx context.Context, version string) (a Apply, err error) {
	ctx, cancel := context.WithTimeout(ctx, updateTimeout)
	defer cancel()
	first, begun := g.Console.Next(), time.Now()
	if _, err := node.Ask(ctx, g.client.Updates.Apply, &nodev1.ApplyUpdateRequest{Version: version, Reason: "a benchmark"}); err != nil {
		return a, node.Explain("guest", err)
	}
	if _, err := g.ExpectFrom(ctx, first, `^stele: .*container demo: running$|^stele: .*container demo: running ready`); err != nil {
		return a, err
	}
	for {
		if text, err := get(ctx, g.url("/healthz")); err == nil && text != "" {
			break
		}
		if err := pause(ctx, 25*time.Millisecond); err != nil {
			return a, err
		}
	}
	a.Answer = time.Since(begun).Seconds()
	a.Commit, err = g.committed(ctx, version, begun)
	return a, err
}

// committed asks until the version says of itself that it is good.
func (g *guest) committed(ctx context.Context, version string, begun time.Time) (float64, error) {
	for {
		attempt, end := context.WithTimeout(ctx, 2*time.Second)
		s, err := node.Ask(attempt, g.client.Machine.Status, &nodev1.StatusRequest{})
		end()
		if r := s.GetRunning(); err == nil && r.GetVersion() == version && r.GetCommitted() {
			return time.Since(begun).Seconds(), nil
		}
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			return 0, fmt.Errorf("version %s is not committed: %w", version, err)
		}
	}
}
