// Command times tells which part of the tests takes what. It runs the commands of a test run, one after the other, shows what they print, and notes how long each took, and
// each test of those that are `go test -json`; then it prints all of it, the longest first.
//
//	times -into FILE -part NAME [-v] COMMAND ARG...   run a part; with -v show all that tests print, else what packages and failing tests do
//	times -table FILE                                 print the table of a file
//
// Tests that run side by side share the processors: the seconds of tests add up to more than their part's, which are those of a clock on the wall.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
)

func main() {
	into := flag.String("into", "", "file that takes the times")
	part := flag.String("part", "", "name of the part")
	verbose := flag.Bool("v", false, "show all that tests print")
	table := flag.String("table", "", "print the table of this file")
	flag.Parse()
	if err := run(*into, *part, *table, *verbose, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "times:", err)
		os.Exit(1)
	}
}

func run(into, part, table string, verbose bool, command []string) error {
	if table != "" {
		parts, err := read(table)
		if err != nil {
			return err
		}
		fmt.Print(Table(parts))
		return nil
	}
	if into == "" || part == "" || len(command) == 0 {
		return errors.New("cannot run a part: it needs -into, -part and a command")
	}
	done, failed := execute(part, command, os.Stdout, verbose)
	return errors.Join(failed, note(into, done))
}
