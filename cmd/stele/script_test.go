package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets scripts run this test binary as "stele".
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"stele": main})
}

// TestScripts runs testdata/script: each file is a session with the command line.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			return os.CopyFS(filepath.Join(env.WorkDir, "examples"), os.DirFS("../../docs/examples"))
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"each": each},
	})
}

// each runs a command once for every file that matches a pattern, with the file as last argument: each PATTERN COMMAND...
func each(ts *testscript.TestScript, neg bool, args []string) {
	files, err := filepath.Glob(ts.MkAbs(args[0]))
	if err != nil || len(files) == 0 || neg {
		ts.Fatalf("no file matches %s: %v", args[0], err)
	}
	for _, file := range files {
		ts.Check(ts.Exec(args[1], append(append([]string(nil), args[2:]...), file)...))
	}
}
