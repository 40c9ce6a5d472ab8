package containerd

import (
	"github.com/containerd/containerd/v2/plugins"
	"github.com/containerd/containerd/v2/plugins/snapshots/overlay"
	"github.com/containerd/platforms"
	"github.com/containerd/plugin"
	"github.com/containerd/plugin/registry"

	_ "github.com/containerd/containerd/v2/core/runtime/v2"                // shim manager and task manager
	_ "github.com/containerd/containerd/v2/plugins/content/local/plugin"   // blobs under Root
	_ "github.com/containerd/containerd/v2/plugins/diff/walking/plugin"    // layers to snapshots
	_ "github.com/containerd/containerd/v2/plugins/events"                 // exits, to the agent
	_ "github.com/containerd/containerd/v2/plugins/gc"                     // blobs and snapshots without an image
	_ "github.com/containerd/containerd/v2/plugins/leases"                 // what a pull holds
	_ "github.com/containerd/containerd/v2/plugins/metadata"               // bolt
	_ "github.com/containerd/containerd/v2/plugins/services/containers"    //
	_ "github.com/containerd/containerd/v2/plugins/services/content"       //
	_ "github.com/containerd/containerd/v2/plugins/services/diff"          //
	_ "github.com/containerd/containerd/v2/plugins/services/events"        //
	_ "github.com/containerd/containerd/v2/plugins/services/images"        //
	_ "github.com/containerd/containerd/v2/plugins/services/introspection" // a pull asks for the snapshotter's capabilities
	_ "github.com/containerd/containerd/v2/plugins/services/leases"        //
	_ "github.com/containerd/containerd/v2/plugins/services/namespaces"    //
	_ "github.com/containerd/containerd/v2/plugins/services/snapshots"     //
	_ "github.com/containerd/containerd/v2/plugins/services/tasks"         //
	_ "github.com/containerd/containerd/v2/plugins/services/warning"       // the task manager insists on it
)

// containerd's own registration of overlayfs probes for id-mapped mounts by starting a process in a user namespace; nothing here uses them.
func init() {
	registry.Register(&plugin.Registration{
		Type: plugins.SnapshotPlugin,
		ID:   "overlayfs",
		InitFn: func(ic *plugin.InitContext) (any, error) {
			ic.Meta.Platforms = append(ic.Meta.Platforms, platforms.DefaultSpec())
			root := ic.Properties[plugins.PropertyRootDir]
			ic.Meta.Exports[plugins.SnapshotterRootDir] = root
			return overlay.NewSnapshotter(root, overlay.AsynchronousRemove)
		},
	})
}
