// Package containers makes the containers of the desired state run, and keeps them running.
//
//	state.Desired --> manager --one worker per container--> lifecycle (pure) --> engine --> containerd --> shim --> runc
//	                     |                                                          ^
//	                     +--> supervise: containerd as a child process --------------+
//
// The manager compares the desired containers with its workers (diff.go, pure) and starts, replaces or stops workers. A worker leads one
// container through its life; what comes after an exit or a failure is decided by lifecycle.go (pure, the clock is an argument). An engine does
// what a worker asks for; the real one speaks containerd's API, tests use one with a state of its own.
//
// Invariants:
//   - A container that runs is never touched because of containerd: when containerd dies, shims keep the containers, containerd is started again, and
//     workers wait on the same tasks (TestWorkerKeepsTheTaskWhenTheRuntimeIsAway).
//   - One container's trouble is its own: a pull or start that fails leaves it in phase failed with a reason, and is tried again (TestManagerIsolatesFailures).
//   - A changed specification means a new container (label specLabel holds its hash), never a changed one.
//   - A container's root is immutable beyond its life: the writable upper directory of its overlay is made anew at each start, so nothing
//     drifts; what must stay belongs into a volume. Since it need not outlive a crash it is mounted "volatile" (no syncs).
//   - A baked image is never copied: its directory on the verified root is the overlay's lower directory.
//
// # Output of containers
//
// The shim writes into two FIFOs, the agent reads them and keeps lines in the format of Kubernetes' CRI logs under /var/log/containers, rotated at a
// size. The shim holds each FIFO open for reading as well, so the death of the reader never kills a container; and if this agent dies, the
// machine reboots anyway. Rejected: "binary://" loggers (one more exec at each start, and one more process of this binary for each container; its like, the shim, measured 4.9 MB of anonymous memory), and "file://"
// (the shim appends to one file for ever: rotation by truncation loses lines, and nothing bounds the file between two looks at it).
//
// # Start-up
//
// containerd starts as soon as Run is called; its sockets exist before it does (agent/containerd), so nothing polls. A baked container waits neither
// for the network nor for the clock. A pull waits until the network is online, and for a moment for the clock where TLS is spoken.
package containers
