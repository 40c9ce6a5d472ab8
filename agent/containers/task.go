package containers

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"

	tasks "github.com/containerd/containerd/api/services/tasks/v1"
	tasktypes "github.com/containerd/containerd/api/types/task"
	"github.com/containerd/errdefs/pkg/errgrpc"
	"github.com/containerd/typeurl/v2"
	"github.com/opencontainers/runtime-spec/specs-go"
	"google.golang.org/protobuf/types/known/anypb"
)

// containerdTask is the running task of one container. It holds nothing but names, so that it outlives containerd.
type containerdTask struct {
	engine *containerdEngine
	name   string
	pid    int
	execs  atomic.Uint64
}

// task returns the running task of a container, or errGone.
func (e *containerdEngine) task(ctx context.Context, name string) (*containerdTask, error) {
	r, err := e.tasks.Get(ctx, &tasks.GetRequest{ContainerID: name})
	if notFound(err) {
		return nil, errGone
	}
	if err != nil {
		return nil, err
	}
	if r.Process.Status != tasktypes.Status_RUNNING {
		return nil, errGone
	}
	return &containerdTask{engine: e, name: name, pid: int(r.Process.Pid)}, nil
}

func (t *containerdTask) PID() int { return t.pid }

// Wait asks again when containerd went away: the shim remembers how the container ended.
func (t *containerdTask) Wait(ctx context.Context) (exit, error) {
	var code exit
	err := t.engine.retry(ctx, func() error {
		r, err := t.engine.tasks.Wait(ctx, &tasks.WaitRequest{ContainerID: t.name})
		if notFound(err) {
			return errGone
		}
		if err == nil {
			code.Code = int(r.ExitStatus)
		}
		return err
	})
	if errors.Is(err, errGone) {
		return exit{Code: 137}, errGone
	}
	if err != nil {
		return exit{}, err
	}
	code.OOM = t.engine.outOfMemory(t.name)
	return code, nil
}

func (t *containerdTask) Kill(ctx context.Context, signal syscall.Signal) error {
	return t.engine.retry(ctx, func() error {
		// All processes for SIGKILL: with the host's process namespace the death of the first one does not take the others along.
		_, err := t.engine.tasks.Kill(ctx, &tasks.KillRequest{ContainerID: t.name, Signal: uint32(signal), All: signal == syscall.SIGKILL})
		if notFound(err) {
			return nil
		}
		return err
	})
}

// Exec runs a command in the container with the container's own environment and user, without output.
func (t *containerdTask) Exec(ctx context.Context, command []string) (int, error) {
	return t.exec(ctx, t.execID("probe"), command, "")
}

// Output gives both streams one FIFO: the shim needs a name for each.
func (t *containerdTask) Output(ctx context.Context, command []string) (int, []byte, error) {
	id := t.execID("command")
	captured, err := openCapture(t.engine.options.outputPath(t.name, id))
	if err != nil {
		return 0, nil, fmt.Errorf("cannot read the output of a command in container %q: %w", t.name, err)
	}
	code, err := t.exec(ctx, id, command, captured.path)
	output := captured.finish()
	if err != nil {
		return 0, output, fmt.Errorf("cannot run a command in container %q: %w", t.name, err)
	}
	return code, output, nil
}

func (t *containerdTask) execID(kind string) string {
	return kind + "-" + strconv.FormatUint(t.execs.Add(1), 10)
}

func (t *containerdTask) exec(ctx context.Context, id string, command []string, output string) (int, error) {
	process, err := t.execProcess(ctx, command)
	if err != nil {
		return 0, err
	}
	e := t.engine
	if _, err := e.tasks.Exec(ctx, &tasks.ExecProcessRequest{ContainerID: t.name, ExecID: id, Spec: process, Stdout: output, Stderr: output}); err != nil {
		return 0, errgrpc.ToNative(err)
	}
	defer t.endExec(ctx, id)
	if _, err := e.tasks.Start(ctx, &tasks.StartRequest{ContainerID: t.name, ExecID: id}); err != nil {
		return 0, errgrpc.ToNative(err)
	}
	r, err := e.tasks.Wait(ctx, &tasks.WaitRequest{ContainerID: t.name, ExecID: id})
	if err != nil {
		return 0, errgrpc.ToNative(err)
	}
	return int(r.ExitStatus), nil
}

func (t *containerdTask) execProcess(ctx context.Context, command []string) (*anypb.Any, error) {
	record, err := t.engine.client.ContainerService().Get(ctx, t.name)
	if err != nil {
		return nil, fmt.Errorf("cannot read container %q: %w", t.name, err)
	}
	var spec specs.Spec
	if err := typeurl.UnmarshalTo(record.Spec, &spec); err != nil {
		return nil, fmt.Errorf("cannot decode the specification of container %q: %w", t.name, err)
	}
	process := spec.Process
	process.Args, process.Terminal = command, false
	return typeurl.MarshalAnyToProto(process)
}

// endExec ends and forgets a command, also one that took too long.
func (t *containerdTask) endExec(ctx context.Context, id string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), killTimeout)
	defer cancel()
	_, _ = t.engine.tasks.Kill(ctx, &tasks.KillRequest{ContainerID: t.name, ExecID: id, Signal: uint32(syscall.SIGKILL)})
	_, _ = t.engine.tasks.Wait(ctx, &tasks.WaitRequest{ContainerID: t.name, ExecID: id})
	_, _ = t.engine.tasks.DeleteProcess(ctx, &tasks.DeleteProcessRequest{ContainerID: t.name, ExecID: id})
}

// removeTask kills and deletes a container's task, and with it shim and mounts.
func (e *containerdEngine) removeTask(ctx context.Context, name string) error {
	r, err := e.tasks.Get(ctx, &tasks.GetRequest{ContainerID: name})
	if notFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if r.Process.Status != tasktypes.Status_STOPPED {
		if _, err := e.tasks.Kill(ctx, &tasks.KillRequest{ContainerID: name, Signal: uint32(syscall.SIGKILL), All: true}); err != nil && !notFound(err) {
			return err
		}
		wait, cancel := context.WithTimeout(ctx, killTimeout)
		defer cancel()
		if _, err := e.tasks.Wait(wait, &tasks.WaitRequest{ContainerID: name}); err != nil && !notFound(err) {
			return err
		}
	}
	if _, err := e.tasks.Delete(ctx, &tasks.DeleteTaskRequest{ContainerID: name}); err != nil && !notFound(err) {
		return err
	}
	return nil
}

// outOfMemory tells whether the kernel killed in this container's cgroup (cgroup v2, memory.events, key oom_kill). The cgroup is there until
// the task is deleted.
func (e *containerdEngine) outOfMemory(name string) bool {
	data, err := os.ReadFile(filepath.Join("/sys/fs/cgroup", e.options.CgroupParent, name, "memory.events"))
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(data)) {
		if f := strings.Fields(line); len(f) == 2 && f[0] == "oom_kill" && f[1] != "0" {
			return true
		}
	}
	return false
}
