package server

import (
	"context"
	"log/slog"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/stele-os/stele/agent/server/events"
	"github.com/stele-os/stele/agent/server/logs"
	"github.com/stele-os/stele/agent/system"
)

// Options of Run. Zero fields take the values of a running machine. Updates, Configuration, Containers or Power that is nil makes its calls
// answer "unimplemented".
type Options struct {
	Updates       Updates
	Configuration Configuration
	Containers    Containers
	Power         Power

	// Log is the agent's log.
	Log *slog.Logger
	// AgentLog is what Read(SOURCE_AGENT) shows; it should be behind Log (logs.NewHandler).
	AgentLog *logs.Agent
	// Events are kept here: give the same at each Run, so that a restart of the manager loses none.
	Events *events.Hub
	// BuildTime of the image: the clock is never before it.
	BuildTime time.Time
	// StateDir holds identity/ and audit/.
	StateDir string
	// ContainerLogs is where agent/containers keeps the output of containers.
	ContainerLogs string
	// Kernel opens the kernel's log.
	Kernel func() (logs.Kernel, error)

	// Listen opens the port on all addresses.
	Listen func(ctx context.Context, port int) (net.Listener, error)
	Limits Limits
	Now    func() time.Time
	// Uptime is the time since kernel start, MemoryUsed the machine's.
	Uptime     func() time.Duration
	MemoryUsed func() int64
}

// Limits bound what clients can make PID 1 hold. Zero fields take the defaults beside them.
type Limits struct {
	Handshakes         int // 32 at the same time; for one more the oldest is given up
	Connections        int // 64 with a client that has proven itself
	AddressConnections int // 32 of one remote address (IPv6: /64), handshakes included
	ClientConnections  int // 8 of one certificate
	Calls              int // 64 at the same time; readers get three quarters of them
	ClientCalls        int // 16 of one certificate
	ClientStreams      int // 8 of one certificate
	Documents          int // 2 requests at the same time that may be large

	Handshake time.Duration // 10 s
	Header    time.Duration // 10 s for a request's header
	Body      time.Duration // 20 s for a request's message
	Write     time.Duration // 10 s until written bytes have left
	Idle      time.Duration // 2 min without a call
	Call      time.Duration // 10 min for a call that is no stream
	Need      time.Duration // 30 s for a push's client to send something that it was asked for
	Farewell  time.Duration // 2 s for calls in flight when their listener or CA goes
}

func (l Limits) filled() Limits {
	number := func(field *int, value int) {
		if *field == 0 {
			*field = value
		}
	}
	span := func(field *time.Duration, value time.Duration) {
		if *field == 0 {
			*field = value
		}
	}
	number(&l.Handshakes, 32)
	number(&l.Connections, 64)
	number(&l.AddressConnections, 32)
	number(&l.ClientConnections, 8)
	number(&l.Calls, 64)
	number(&l.ClientCalls, 16)
	number(&l.ClientStreams, 8)
	number(&l.Documents, 2)
	span(&l.Handshake, 10*time.Second)
	span(&l.Header, 10*time.Second)
	span(&l.Body, 20*time.Second)
	span(&l.Write, 10*time.Second)
	span(&l.Idle, 2*time.Minute)
	span(&l.Call, 10*time.Minute)
	span(&l.Need, 30*time.Second)
	span(&l.Farewell, 2*time.Second)
	return l
}

func (o Options) filled() Options {
	o.Limits = o.Limits.filled()
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.AgentLog == nil {
		o.AgentLog = logs.NewAgent()
	}
	if o.Events == nil {
		o.Events = events.NewHub(o.Now)
	}
	if o.BuildTime.IsZero() {
		o.BuildTime = o.Now()
	}
	if o.StateDir == "" {
		o.StateDir = "/var/lib/stele"
	}
	if o.ContainerLogs == "" {
		o.ContainerLogs = "/var/log/containers"
	}
	if o.Kernel == nil {
		o.Kernel = logs.OpenKernel
	}
	if o.Listen == nil {
		o.Listen = listen
	}
	if o.Uptime == nil {
		o.Uptime = system.SinceKernelStart
	}
	if o.MemoryUsed == nil {
		o.MemoryUsed = memoryUsed
	}
	return o
}

// listen takes IPv6 and IPv4 by one socket. A dead peer is noticed after a minute.
func listen(ctx context.Context, port int) (net.Listener, error) {
	keepAlive := net.KeepAliveConfig{Enable: true, Idle: 30 * time.Second, Interval: 10 * time.Second, Count: 3}
	config := net.ListenConfig{KeepAliveConfig: keepAlive}
	return config.Listen(ctx, "tcp", net.JoinHostPort("", strconv.Itoa(port)))
}

func memoryUsed() int64 {
	content, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0
	}
	memory := system.DecodeMeminfo(content)
	return memory.TotalBytes - memory.AvailableBytes
}
