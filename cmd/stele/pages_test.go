package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

var update = flag.Bool("update", false, "write the help pages in docs/cli anew")

const pagesDirectory = "../../docs/cli"

// TestHelpPages compares docs/cli with the command line: one page a command.
func TestHelpPages(t *testing.T) {
	want := map[string]string{}
	collectPages(newRootCommand(), want)
	files, _ := filepath.Glob(pagesDirectory + "/*.md")
	if *update {
		for _, file := range files {
			if err := os.Remove(file); err != nil {
				t.Fatal(err)
			}
		}
		for name, page := range want {
			if err := os.WriteFile(filepath.Join(pagesDirectory, name), []byte(page), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		return
	}
	if len(files) != len(want) {
		t.Errorf("docs/cli has %d pages for %d commands: run make generate", len(files), len(want))
	}
	for name, page := range want {
		if got, err := os.ReadFile(filepath.Join(pagesDirectory, name)); err != nil || string(got) != page {
			t.Errorf("docs/cli/%s is out of date: run make generate", name)
		}
	}
}

func collectPages(command *cobra.Command, pages map[string]string) {
	command.InitDefaultHelpFlag()
	pages[strings.ReplaceAll(command.CommandPath(), " ", "_")+".md"] = page(command)
	for _, sub := range command.Commands() {
		if !sub.Hidden && sub.Name() != "help" && sub.Name() != "completion" {
			collectPages(sub, pages)
		}
	}
}

func page(command *cobra.Command) string {
	var b strings.Builder
	about := command.Long
	if about == "" {
		about = command.Short
	}
	fmt.Fprintf(&b, "# %s\n\n<!-- Made by `make generate` from cmd/stele. -->\n\n%s\n", command.CommandPath(), strings.TrimSpace(about))
	if command.Runnable() {
		fmt.Fprintf(&b, "\n    %s\n", command.UseLine())
	}
	if flags := command.NonInheritedFlags(); flags.HasAvailableFlags() {
		fmt.Fprintf(&b, "\n## Options\n\n```text\n%s```\n", flags.FlagUsages())
	}
	if command.HasAvailableSubCommands() {
		b.WriteString("\n## Commands\n\n")
		for _, sub := range command.Commands() {
			if !sub.Hidden && sub.Name() != "help" && sub.Name() != "completion" {
				fmt.Fprintf(&b, "- [%s](%s.md): %s\n", sub.CommandPath(), strings.ReplaceAll(sub.CommandPath(), " ", "_"), sub.Short)
			}
		}
	}
	if command.HasParent() {
		parent := command.Parent().CommandPath()
		fmt.Fprintf(&b, "\nPart of [%s](%s.md).\n", parent, strings.ReplaceAll(parent, " ", "_"))
	}
	return b.String()
}

// documented finds commands in indented blocks of pages. Drawings have other characters than ASCII.
var documented = regexp.MustCompile(`(?m)^    (?:\$ )?(?:bin/)?stele ([a-z][ -~]*)$`)

// TestDocumentedCommands holds that every command in README and pages exists and has the flags that it is shown with. Nothing is run.
func TestDocumentedCommands(t *testing.T) {
	pages, _ := filepath.Glob("../../docs/*.md")
	count := 0
	for _, page := range append(pages, "../../README.md") {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range documented.FindAllStringSubmatch(string(text), -1) {
			line, _, _ := strings.Cut(match[1], " #")
			line, _, _ = strings.Cut(line, " >") // where its output goes
			for _, part := range strings.Split(line, ";") {
				words := strings.Fields(part)
				if len(words) > 1 && filepath.Base(words[0]) == "stele" {
					words = words[1:]
				}
				if err := understood(words); err != nil {
					t.Errorf("%s: stele %s: %v", filepath.Base(page), part, err)
				}
				count++
			}
		}
	}
	if count == 0 {
		t.Error("nothing found: is the pattern still right?")
	}
}

// understood tells whether there is a command of these words.
func understood(words []string) error {
	command, args, err := newRootCommand().Find(words)
	if err == nil {
		err = command.ParseFlags(args)
	}
	if err == nil {
		err = command.ValidateArgs(command.Flags().Args())
	}
	if err == nil && !command.Runnable() {
		err = errors.New("it does nothing by itself")
	}
	return err
}
