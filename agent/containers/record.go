package containers

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/containerd/containerd/api/types/runc/options"
	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/errdefs"
	"github.com/containerd/typeurl/v2"
)

func (e *containerdEngine) record(s specification, hash string, root preparedRoot, spec any) (containers.Container, error) {
	runc, err := typeurl.MarshalAny(&options.Options{
		BinaryName: e.options.Containerd.Runc,
		Root:       filepath.Join(e.options.Containerd.State, "runc"),
	})
	if err != nil {
		return containers.Container{}, fmt.Errorf("cannot encode the options of runc: %w", err)
	}
	encoded, err := typeurl.MarshalAny(spec)
	if err != nil {
		return containers.Container{}, fmt.Errorf("cannot encode the specification of container %q: %w", s.Container.Name, err)
	}
	return containers.Container{
		ID:          s.Container.Name,
		Labels:      map[string]string{specLabel: hash},
		Image:       root.image,
		Runtime:     containers.RuntimeInfo{Name: e.options.Containerd.Shim, Options: runc},
		Spec:        encoded,
		SnapshotKey: root.snapshot,
		Snapshotter: root.snapshotter,
	}, nil
}

// createRecord stores the container; what a former boot or a half start has left under its name goes first.
func (e *containerdEngine) createRecord(ctx context.Context, record containers.Container) error {
	return e.retry(ctx, func() error {
		_, err := e.client.ContainerService().Create(ctx, record)
		if errdefs.IsAlreadyExists(err) {
			if err := e.removeRecord(ctx, record.ID); err != nil {
				return err
			}
			_, err = e.client.ContainerService().Create(ctx, record)
		}
		return err
	})
}

func (e *containerdEngine) removeRecord(ctx context.Context, name string) error {
	record, err := e.client.ContainerService().Get(ctx, name)
	if notFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := e.removeTask(ctx, name); err != nil {
		return err
	}
	if err := e.client.ContainerService().Delete(ctx, name); err != nil && !notFound(err) {
		return err
	}
	if record.SnapshotKey == "" {
		return nil
	}
	if err := e.client.SnapshotService(record.Snapshotter).Remove(ctx, record.SnapshotKey); err != nil && !notFound(err) {
		return err
	}
	return nil
}
