package containers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/containerd/containerd/api/types"
	"github.com/containerd/containerd/v2/core/mount"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/stele-os/stele/agent/plan"
)

// preparedRoot is a container's root, ready to be mounted by the shim, and what its image says.
type preparedRoot struct {
	config ocispec.ImageConfig
	user   user
	// mounts of a baked image. A pulled one has a snapshot instead.
	mounts                       []*types.Mount
	image, snapshot, snapshotter string
}

func (e *containerdEngine) prepareRoot(ctx context.Context, s specification) (preparedRoot, error) {
	if s.Container.Baked {
		return e.prepareBaked(s)
	}
	return e.preparePulled(ctx, s)
}

// restrict adds to the root's mount what its container does not need: device files, and the setuid bit where no_new_privs leaves it no meaning. Both hold
// without it, too (device control group, no_new_privs).
func (r *preparedRoot) restrict(s plan.Security) {
	var options []string
	if !s.Privileged {
		options = append(options, "nodev")
	}
	if s.NoNewPrivileges {
		options = append(options, "nosuid")
	}
	for _, m := range r.mounts {
		m.Options = append(options, m.Options...)
	}
}

// prepareBaked puts a new, empty upper directory over the image's directory on the verified root.
func (e *containerdEngine) prepareBaked(s specification) (preparedRoot, error) {
	dir := filepath.Join(e.options.Images, s.Container.Image)
	config, err := readImageConfig(filepath.Join(dir, "config.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return preparedRoot{}, fmt.Errorf("cannot start container %q: image %q is not baked into this machine's root", s.Container.Name, s.Container.Image)
	}
	if err != nil {
		return preparedRoot{}, err
	}
	lower := filepath.Join(dir, "rootfs")
	var u user
	err = inside(lower, func(root fs.FS) error {
		u, err = resolveUser(root, config.User, s.Container.Security)
		return err
	})
	if err != nil {
		return preparedRoot{}, fmt.Errorf("cannot start container %q: %w", s.Container.Name, err)
	}
	options, err := e.freshUpper(s.Container.Name, lower)
	if err != nil {
		return preparedRoot{}, err
	}
	return preparedRoot{
		config: config, user: u,
		mounts: []*types.Mount{{Type: "overlay", Source: "overlay", Options: options}},
	}, nil
}

// freshUpper makes upper and work directory anew. The merged root takes its mode from the upper directory.
func (e *containerdEngine) freshUpper(name, lower string) ([]string, error) {
	base := filepath.Join(e.options.StateDir, name)
	upper, work := filepath.Join(base, "upper"), filepath.Join(base, "work")
	info, err := os.Stat(lower)
	if err != nil {
		return nil, fmt.Errorf("cannot start container %q: %w", name, err)
	}
	if err := os.RemoveAll(base); err != nil {
		return nil, fmt.Errorf("cannot remove the old root of container %q: %w", name, err)
	}
	for _, dir := range []string{upper, work} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fmt.Errorf("cannot make the root of container %q: %w", name, err)
		}
	}
	if err := os.Chmod(upper, info.Mode().Perm()); err != nil {
		return nil, fmt.Errorf("cannot make the root of container %q: %w", name, err)
	}
	return []string{"volatile", "lowerdir=" + lower, "upperdir=" + upper, "workdir=" + work}, nil
}

func (e *containerdEngine) removeRoot(name string) error {
	if err := os.RemoveAll(filepath.Join(e.options.StateDir, name)); err != nil {
		return fmt.Errorf("cannot remove the root of container %q: %w", name, err)
	}
	return nil
}

func readImageConfig(path string) (ocispec.ImageConfig, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return ocispec.ImageConfig{}, err
	}
	return decodeImageConfig(path, data)
}

// decodeImageConfig reads an OCI image configuration (image-spec v1.1, config.md).
func decodeImageConfig(origin string, data []byte) (ocispec.ImageConfig, error) {
	var image ocispec.Image
	if err := json.Unmarshal(data, &image); err != nil {
		return ocispec.ImageConfig{}, fmt.Errorf("cannot decode image configuration %q: %w", origin, err)
	}
	return image.Config, nil
}

// withMounted shows a snapshot's content to f for a moment.
func withMounted(ctx context.Context, mounts []mount.Mount, f func(fs.FS) error) error {
	return mount.WithReadonlyTempMount(ctx, mounts, func(root string) error { return inside(root, f) })
}

// inside shows a directory to f, and nothing outside of it: links of an image lead nowhere else.
func inside(dir string, f func(fs.FS) error) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	return f(root.FS())
}
