package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// Part of a test run.
type Part struct {
	Name    string  `json:"name"`
	Seconds float64 `json:"seconds"`
	Tests   []Test  `json:"tests,omitempty"`
}

// Test that ran in a part. A package is a Test without a name.
type Test struct {
	Package string  `json:"package"`
	Name    string  `json:"name,omitempty"`
	Seconds float64 `json:"seconds"`
	// Outcome is "pass", "fail" or "skip".
	Outcome string `json:"outcome"`
}

// event is one line of `go test -json` (go doc test2json).
type event struct {
	Action, Package, Test, Output string
	Elapsed                       float64
}

// execute runs a part's command, and shows what it prints.
func execute(name string, command []string, out io.Writer, verbose bool) (Part, error) {
	begun := time.Now()
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stdin, cmd.Stderr = os.Stdin, os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return Part{Name: name}, fmt.Errorf("cannot run %q: %w", command[0], err)
	}
	tests := follow(stdout, out, verbose)
	if err = cmd.Wait(); err != nil {
		err = fmt.Errorf("%s: %w", name, err)
	}
	return Part{name, time.Since(begun).Seconds(), tests}, err
}

// follow shows what a command prints, and returns the tests that have ended. Lines that are no events are shown as they are.
func follow(in io.Reader, out io.Writer, verbose bool) (tests []Test) {
	said := map[string]string{} // by tests that may yet fail
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadString('\n')
		var e event
		if !strings.HasPrefix(line, "{") || json.Unmarshal([]byte(line), &e) != nil {
			_, _ = io.WriteString(out, line)
			e = event{}
		}
		key := e.Package + " " + e.Test
		switch e.Action {
		case "output", "build-output":
			if verbose || e.Test == "" {
				_, _ = io.WriteString(out, e.Output)
			} else {
				said[key] += e.Output
			}
		case "pass", "fail", "skip":
			if e.Action == "fail" {
				_, _ = io.WriteString(out, said[key])
			}
			delete(said, key)
			tests = append(tests, Test{e.Package, e.Test, e.Elapsed, e.Action})
		}
		if err != nil {
			return tests
		}
	}
}

// note adds a part to a file.
func note(file string, p Part) error {
	line, err := json.Marshal(p)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(file, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	if _, err := f.Write(append(line, '\n')); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

func read(file string) (parts []Part, err error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	for d := json.NewDecoder(f); d.More(); {
		var p Part
		if err := d.Decode(&p); err != nil {
			return nil, fmt.Errorf("cannot read %q: %w", file, err)
		}
		parts = append(parts, p)
	}
	return parts, nil
}
