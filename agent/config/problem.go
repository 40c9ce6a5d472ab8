package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/stele-os/stele/internal/strictyaml"
)

// Problem is one thing that is wrong with a document.
type Problem struct {
	// Source is the document's name: a file, or a metadata source in words.
	Source string
	// Line and Column count from 1; 0 where the problem lies in no line, such as a hostname that the platform gave.
	Line, Column int
	// Path of the value, such as "spec.containers[0].image"; empty for the whole document.
	Path    string
	Message string
}

// String is the form for the command line: FILE:line:column: path: message.
func (p Problem) String() string {
	if p.Line == 0 {
		return p.Source + ": " + p.sentence()
	}
	return fmt.Sprintf("%s:%d:%d: %s", p.Source, p.Line, p.Column, p.sentence())
}

// Sentence is the form for the console: the source comes last, because it is the same in most lines.
func (p Problem) Sentence() string {
	if p.Line == 0 {
		return fmt.Sprintf("%s (in %s)", p.sentence(), p.Source)
	}
	return fmt.Sprintf("%s (line %d:%d of %s)", p.sentence(), p.Line, p.Column, p.Source)
}

func (p Problem) sentence() string {
	if p.Path == "" {
		return clip(p.Message)
	}
	return clip(p.Path + ": " + p.Message)
}

// Bounds on what a document, perhaps a hostile one, can put on the console.
const (
	maxSentenceBytes = 500
	maxSentences     = 50
)

func clip(text string) string {
	if len(text) <= maxSentenceBytes {
		return text
	}
	return strings.ToValidUTF8(text[:maxSentenceBytes], "") + "..."
}

// sentences are the console's lines for problems.
func sentences(problems []Problem) []string {
	var all []string
	for i, p := range problems {
		if i == maxSentences {
			return append(all, fmt.Sprintf("and %d more problems: `stele config check` shows them all", len(problems)-i))
		}
		all = append(all, p.Sentence())
	}
	return all
}

// Locate fills in where each problem's value came from (its own place, else that of what encloses it) and sorts by it.
func (m Merged) Locate(problems []Problem) []Problem {
	for i, p := range problems {
		for path := p.Path; ; path = parent(path) {
			if origin, ok := m.Origins[path]; ok {
				problems[i].Source, problems[i].Line, problems[i].Column = origin.Source, origin.Line, origin.Column
				break
			}
			if path == "" {
				break
			}
		}
	}
	slices.SortStableFunc(problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return problems
}

// parent of "a.b[0].c" is "a.b[0]", of "a.b[0]" is "a.b"; of a name alone the document.
func parent(path string) string {
	if strings.HasSuffix(path, `"]`) { // a map's key may hold dots
		return path[:strings.Index(path, `["`)]
	}
	return path[:max(0, strings.LastIndexAny(path, ".["))]
}

func fromYAML(source string, problems []strictyaml.Problem) []Problem {
	var converted []Problem
	for _, p := range problems {
		converted = append(converted, Problem{Source: source, Line: p.Line, Column: p.Column, Path: p.Path, Message: p.Message})
	}
	return converted
}
