package system

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestMain lets the test binary play the child: it exits with the code of its environment, or sleeps until a signal ends it.
func TestMain(m *testing.M) {
	switch mode := os.Getenv("STELE_TEST_CHILD"); mode {
	case "":
		os.Exit(m.Run())
	case "sleep":
		time.Sleep(time.Hour)
	default:
		code, _ := strconv.Atoi(mode)
		os.Exit(code)
	}
}

func child(mode string) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = []string{"STELE_TEST_CHILD=" + mode}
	return cmd
}

func runReaper(t *testing.T) *Reaper {
	t.Helper()
	r := NewReaper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); _ = r.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-ended })
	return r
}

func TestReaperKeepsExitCodes(t *testing.T) {
	r := runReaper(t)
	var started []*Process
	for code := range 8 {
		p, err := r.Start(child(strconv.Itoa(code)))
		if err != nil {
			t.Fatal(err)
		}
		started = append(started, p)
	}
	for code, p := range started {
		<-p.Done()
		if p.ExitCode() != code {
			t.Errorf("exit code %d, want %d", p.ExitCode(), code)
		}
		if err := p.Signal(unix.SIGTERM); !errors.Is(err, os.ErrProcessDone) {
			t.Errorf("signal after the end: %v, want %v", err, os.ErrProcessDone)
		}
	}
}

func TestReaperReportsSignals(t *testing.T) {
	p, err := runReaper(t).Start(child("sleep"))
	if err != nil {
		t.Fatal(err)
	}
	if p.ExitCode() != -1 {
		t.Errorf("exit code of a running process is %d, want -1", p.ExitCode())
	}
	if err := p.Signal(unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-p.Done()
	if p.ExitCode() != 128+9 {
		t.Errorf("exit code %d, want 137", p.ExitCode())
	}
}

func TestReaperRefusesContexts(t *testing.T) {
	if _, err := NewReaper().Start(exec.CommandContext(t.Context(), "true")); err == nil {
		t.Error("a command with a context was started")
	}
}

func TestStartNamesTheMissingFile(t *testing.T) {
	_, err := runReaper(t).Start(exec.Command("/does/not/exist"))
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want %v", err, os.ErrNotExist)
	}
}
