package containers

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	tasks "github.com/containerd/containerd/api/services/tasks/v1"
	"github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/pkg/dialer"
	"github.com/containerd/errdefs"
	"github.com/containerd/errdefs/pkg/errgrpc"
	"github.com/containerd/log"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/stele-os/stele/agent/containerd"
	"github.com/stele-os/stele/agent/state"
)

// specLabel holds the hash of the specification that a container was made from.
const specLabel = "stele.spec"

// containerdEngine is the engine that speaks containerd's API. It uses the plain services (one call, one transaction) where containerd's client
// would add leases and look-ups of its own; the client is for pulls.
type containerdEngine struct {
	machine *state.Machine
	options Options
	client  *client.Client
	tasks   tasks.TasksClient
	logs    *loggers
}

func newContainerdEngine(m *state.Machine, o Options) (*containerdEngine, error) {
	// containerd's client logs on the console what it also returns.
	if err := log.SetLevel("error"); err != nil {
		return nil, fmt.Errorf("cannot quieten containerd's client: %w", err)
	}
	c, err := client.New(o.Containerd.Address(),
		client.WithDefaultNamespace(containerd.Namespace),
		client.WithDialOpts([]grpc.DialOption{
			grpc.WithTransportCredentials(insecure.NewCredentials()),
			grpc.WithContextDialer(dialer.ContextDialer),
			// The socket outlives containerd, so connecting fails hardly ever; what may take long is the first answer.
			grpc.WithConnectParams(grpc.ConnectParams{
				Backoff:           backoff.Config{BaseDelay: 20 * time.Millisecond, Multiplier: 1.6, MaxDelay: time.Second},
				MinConnectTimeout: 30 * time.Second,
			}),
			grpc.WithDefaultCallOptions(grpc.WaitForReady(true)),
			grpc.WithNoProxy(),
		}))
	if err != nil {
		return nil, fmt.Errorf("cannot make a client of containerd: %w", err)
	}
	return &containerdEngine{
		machine: m, options: o, client: c,
		tasks: tasks.NewTasksClient(c.Conn().(*grpc.ClientConn)),
		logs:  newLoggers(o),
	}, nil
}

func (e *containerdEngine) close() {
	_ = e.client.Close()
	e.logs.close()
}

// ready returns once containerd answers.
func (e *containerdEngine) ready(ctx context.Context) error {
	return e.retry(ctx, func() error {
		_, err := e.client.NamespaceService().List(ctx)
		return err
	})
}

// retry repeats a call that ended because the runtime went away.
func (e *containerdEngine) retry(ctx context.Context, call func() error) error {
	for {
		err := call()
		if err == nil || !away(err) {
			return err
		}
		if !sleep(ctx, e.options.Clock, 100*time.Millisecond) {
			return ctx.Err()
		}
	}
}

// away tells whether an error means that containerd was not there, rather than an answer.
func away(err error) bool {
	return errdefs.IsUnavailable(err) || errdefs.IsUnavailable(errgrpc.ToNative(err))
}

func notFound(err error) bool {
	return errdefs.IsNotFound(err) || errdefs.IsNotFound(errgrpc.ToNative(err))
}

func (e *containerdEngine) Adopt(ctx context.Context, s specification, hash string) (task, error) {
	name := s.Container.Name
	var found task
	err := e.retry(ctx, func() error {
		c, err := e.client.ContainerService().Get(ctx, name)
		if notFound(err) || err == nil && c.Labels[specLabel] != hash {
			return errGone
		}
		if err != nil {
			return err
		}
		t, err := e.task(ctx, name)
		if err != nil {
			return err
		}
		found = t
		return nil
	})
	if err != nil {
		return nil, err
	}
	if err := e.logs.open(name, boundsOf(s)); err != nil {
		e.options.Logf("cannot keep the output of container %q: %v", name, err)
	}
	return found, nil
}

// Start: image -> root -> specification -> container record -> task -> started.
func (e *containerdEngine) Start(ctx context.Context, s specification, hash string) (task, error) {
	name := s.Container.Name
	root, err := e.prepareRoot(ctx, s)
	if err != nil {
		return nil, err
	}
	root.restrict(s.Container.Security)
	if err := prepareVolumes(s, root.user); err != nil {
		return nil, err
	}
	spec, err := buildSpec(s, root.config, root.user, e.surroundings(name))
	if err != nil {
		return nil, err
	}
	if s.Container.Baked {
		prefetch(program(filepath.Join(e.options.Images, s.Container.Image, "rootfs"), spec.Process.Args))
	}
	record, err := e.record(s, hash, root, spec)
	if err != nil {
		return nil, err
	}
	if err := e.createRecord(ctx, record); err != nil {
		return nil, fmt.Errorf("cannot create container %q: %w", name, err)
	}
	if err := e.logs.open(name, boundsOf(s)); err != nil {
		return nil, err
	}
	return e.startTask(ctx, name, root)
}

func (e *containerdEngine) startTask(ctx context.Context, name string, root preparedRoot) (task, error) {
	out, errOut := e.logs.paths(name)
	created, err := e.tasks.Create(ctx, &tasks.CreateTaskRequest{
		ContainerID: name, Rootfs: root.mounts, Stdout: out, Stderr: errOut,
	})
	if err != nil {
		return nil, fmt.Errorf("cannot create container %q: %w", name, errgrpc.ToNative(err))
	}
	if _, err := e.tasks.Start(ctx, &tasks.StartRequest{ContainerID: name}); err != nil {
		return nil, fmt.Errorf("cannot start container %q: %w", name, errgrpc.ToNative(err))
	}
	return &containerdTask{engine: e, name: name, pid: int(created.Pid)}, nil
}

func (e *containerdEngine) List(ctx context.Context) ([]string, error) {
	var names []string
	err := e.retry(ctx, func() error {
		all, err := e.client.ContainerService().List(ctx)
		names = names[:0]
		for _, c := range all {
			names = append(names, c.ID)
		}
		return err
	})
	return names, err
}

// Remove also returns without error when there is nothing.
func (e *containerdEngine) Remove(ctx context.Context, name string) error {
	err := e.retry(ctx, func() error {
		if err := e.removeTask(ctx, name); err != nil {
			return err
		}
		return e.removeRecord(ctx, name)
	})
	e.logs.finish(name)
	return errors.Join(err, e.removeRoot(name))
}
