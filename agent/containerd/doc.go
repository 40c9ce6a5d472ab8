// Package containerd is the agent binary's second and third life: containerd itself, and containerd's shim for runc.
//
// One file on the root serves three programs (multi-call): started as /sbin/init it is the agent; the agent starts it again
// as containerd ("Command"); containerd starts it, by way of the link v1alpha1.ShimPath, as the shim of each container. Dispatch, called
// first in main, tells which.
//
//	agent (PID 1) --Command--> containerd --exec ShimPath--> shim start --exec self--> shim --exec--> runc
//
// Invariants:
//   - A crash of containerd takes neither PID 1 nor a container with it: containerd is a child of the agent, containers are
//     children of their shims, and shims are in no process group of containerd's.
//   - The agent owns the two listening sockets and hands them down as descriptors 3 (gRPC) and 4 (ttrpc). So a client may connect before
//     containerd has started, and keeps a valid address while it restarts: nothing polls for a socket to appear.
//   - containerd's plugin registry is global to the process: the shim empties it (registry.Reset) and registers its own task service only.
//   - Only what this product needs is linked in: no CRI, no sandboxes, no metrics server, no restart monitor (agent/containers restarts),
//     no transfer service, no mount manager. The mount manager is left out on purpose: with it, each first container start runs the
//     shim and runc once more only to ask for their features.
//
// What it is not: containerd's own main (cmd/containerd/server). That one reads TOML, and brings Prometheus and OpenTelemetry server handlers; ours is
// the same loop over the plugin graph with fixed settings (Config), a gRPC and a ttrpc server.
//
// # Build tags
//
// The multi-call binary is built with the tags in BuildTags; builder/artifact and the Makefile read them from there.
package containerd

// BuildTags shrink the multi-call binary. Each is there for a reason:
//
//	no_tracing       containerd and its shim without OpenTelemetry exporters
//	netgo, osusergo  the standard library's own resolver and user database, although CGO_ENABLED=0 implies them
//	no_rdt           no Intel resource director
//	grpcnotrace      gRPC without golang.org/x/net/trace, which brings html/template and keeps the linker from removing unused methods
const BuildTags = "no_tracing no_rdt netgo osusergo grpcnotrace"
