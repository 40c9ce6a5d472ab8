package artifact

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// kernelTailLines is how much of a failed program's output its error repeats.
const kernelTailLines = 40

// run executes one program in the tree. It and all its children end with the context.
func (t kernelTree) run(ctx context.Context, onLine func(string), program string, arguments ...string) error {
	command := exec.CommandContext(ctx, program, arguments...)
	command.Dir = t.dir
	command.Env = kernelEnvironment()
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	command.Cancel = func() error { return syscall.Kill(-command.Process.Pid, syscall.SIGKILL) }
	command.WaitDelay = 5 * time.Second
	output := &lineWriter{onLine: onLine}
	command.Stdout, command.Stderr = output, output
	err := command.Run()
	output.flush()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("%s %s: %w; its last lines:\n%s",
			program, arguments[len(arguments)-1], err, strings.Join(output.tail, "\n"))
	}
	return nil
}

// kernelEnvironment is small on purpose: CFLAGS, MAKEFLAGS or a locale of the user must not change the kernel.
func kernelEnvironment() []string {
	environment := append([]string{"LC_ALL=C", "PATH=" + os.Getenv("PATH")}, kernelIdentity...)
	if dir, found := os.LookupEnv("TMPDIR"); found {
		environment = append(environment, "TMPDIR="+dir)
	}
	return environment
}

// lineWriter hands on whole lines and remembers the last ones.
type lineWriter struct {
	onLine  func(string)
	tail    []string
	partial []byte
}

func (w *lineWriter) Write(p []byte) (int, error) {
	w.partial = append(w.partial, p...)
	for {
		end := bytes.IndexByte(w.partial, '\n')
		if end < 0 {
			return len(p), nil
		}
		w.line(string(w.partial[:end]))
		w.partial = w.partial[end+1:]
	}
}

func (w *lineWriter) flush() {
	if len(w.partial) > 0 {
		w.line(string(w.partial))
		w.partial = nil
	}
}

func (w *lineWriter) line(line string) {
	if len(w.tail) == kernelTailLines {
		w.tail = w.tail[1:]
	}
	w.tail = append(w.tail, line)
	if w.onLine != nil {
		w.onLine(line)
	}
}

// isCompilerCall recognises kbuild's short form of a command, such as "  CC      init/main.o" (scripts/Kbuild.include, cmd).
func isCompilerCall(line string) bool {
	for _, verb := range []string{"  CC ", "  AS ", "  LD ", "  AR "} {
		if strings.HasPrefix(line, verb) {
			return true
		}
	}
	return false
}
