package containerd

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/containerd/containerd/v2/plugins"
	"github.com/containerd/log"
	"github.com/containerd/plugin"
	"github.com/containerd/plugin/registry"
)

// runDaemon is containerd until SIGTERM or the failure of a server.
func runDaemon(ctx context.Context, c Config) error {
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	signal.Ignore(syscall.SIGPIPE)
	// Warnings tell of features that this kernel does not have, and of nothing else.
	if err := log.SetLevel("error"); err != nil {
		return err
	}
	if err := confine(); err != nil {
		return err
	}
	for dir, mode := range map[string]os.FileMode{c.Root: 0o700, c.State: 0o711} {
		if err := os.MkdirAll(dir, mode); err != nil {
			return fmt.Errorf("cannot make directory %q: %w", dir, err)
		}
	}
	set, err := loadPlugins(ctx, c)
	if err != nil {
		return err
	}
	return serve(ctx, set)
}

// loadPlugins starts every registered plugin in the order of their dependencies. All of them are needed: one that fails is an error.
func loadPlugins(ctx context.Context, c Config) (*plugin.Set, error) {
	set := plugin.NewPluginSet()
	for _, p := range registry.Graph(func(*plugin.Registration) bool { return false }) {
		ic := plugin.NewContext(ctx, set, map[string]string{
			plugins.PropertyRootDir:      filepath.Join(c.Root, p.URI()),
			plugins.PropertyStateDir:     filepath.Join(c.State, p.URI()),
			plugins.PropertyGRPCAddress:  c.Address(),
			plugins.PropertyTTRPCAddress: c.ttrpcAddress(),
		})
		// A registration's Config is its default, and the settings we want.
		ic.Config = p.Config
		ic.RegisterReadiness = func() func() { return func() {} }
		result := p.Init(ic)
		if err := set.Add(result); err != nil {
			return nil, fmt.Errorf("cannot add plugin %q: %w", p.URI(), err)
		}
		if _, err := result.Instance(); err != nil && !plugin.IsSkipPlugin(err) {
			return nil, fmt.Errorf("cannot start plugin %q: %w", p.URI(), err)
		}
	}
	return set, nil
}

// inherit takes over a listening socket that the agent has handed down.
func inherit(fd uintptr, name string) (net.Listener, error) {
	f := os.NewFile(fd, name)
	defer f.Close()
	l, err := net.FileListener(f)
	if err != nil {
		return nil, fmt.Errorf("cannot take over the %s socket: %w", name, err)
	}
	return l, nil
}
