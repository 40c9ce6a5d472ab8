package main

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/stele-os/stele/builder/repository/testimage"
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
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"each": each, "image": image},
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

// image makes what stele build leaves behind, for commands that come after it: image DIR VERSION [ROOT-METADATA].
func image(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: image DIR VERSION [ROOT-METADATA]")
	}
	i := testimage.Image{Name: "demo", Version: args[1], Architecture: "x86_64"}
	if len(args) > 2 {
		i.Root = ts.MkAbs(args[2])
	}
	dir := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(dir, 0o755))
	ts.Check(testimage.Write(context.Background(), dir, i))
}
