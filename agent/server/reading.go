package server

import (
	"context"
	"encoding/json"
	"path/filepath"
	"time"

	"github.com/stele-os/stele/internal/pattern"

	"connectrpc.com/connect"

	"github.com/stele-os/stele/agent/fault"
	"github.com/stele-os/stele/agent/server/audit"
	"github.com/stele-os/stele/agent/server/logs"
	nodev1 "github.com/stele-os/stele/api/node/v1"
)

// logService implements nodev1.LogServiceHandler.
type logService struct{ *server }

// containerName is what a container may be called (RFC 1123 label): never a path.
var containerName = pattern.New(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

func (s logService) Read(ctx context.Context, r *connect.Request[nodev1.LogReadRequest], out *connect.ServerStream[nodev1.LogEntry]) error {
	q := logs.Query{Tail: int(min(r.Msg.GetTailLines(), 1<<20)), Follow: r.Msg.GetFollow()}
	if since := r.Msg.GetSince(); since != nil {
		if since.CheckValid() != nil {
			return fault.New(fault.Invalid, "cannot read a log: since is no time")
		}
		q.Since = since.AsTime()
	}
	if err := out.Send(nil); q.Follow && err != nil { // the header: there may be nothing to say for long
		return err
	}
	emit := func(e logs.Entry) error {
		return out.Send(&nodev1.LogEntry{Time: moments(e.Time), Stream: e.Stream, Line: e.Line, Partial: e.Partial})
	}
	switch r.Msg.GetSource() {
	case nodev1.LogReadRequest_SOURCE_KERNEL:
		kernel, err := s.options.Kernel()
		if err != nil {
			return err
		}
		defer kernel.Close()
		return logs.ReadKernel(ctx, kernel, s.options.Now, q, emit)
	case nodev1.LogReadRequest_SOURCE_AGENT:
		return s.options.AgentLog.Read(ctx, q, emit)
	case nodev1.LogReadRequest_SOURCE_CONTAINER:
		return s.container(ctx, r.Msg.GetContainer(), q, emit)
	case nodev1.LogReadRequest_SOURCE_AUDIT:
		dir := filepath.Join(s.options.StateDir, "audit")
		return logs.ReadMerged(ctx, q, emit, auditFiles(dir, audit.Changes), auditFiles(dir, audit.Other))
	}
	return fault.New(fault.Invalid, "cannot read a log: the source is none of kernel, agent, container and audit")
}

// container reads what a container of this document or an earlier one has written.
func (s logService) container(ctx context.Context, name string, q logs.Query, emit func(logs.Entry) error) error {
	if !containerName().MatchString(name) {
		return fault.New(fault.Invalid, "cannot read the log of container %q: no container can have this name", clean(name))
	}
	files := logs.Files{Path: filepath.Join(s.options.ContainerLogs, name+".log"), Decode: logs.DecodeCRI}
	if !files.Exist() && !s.wanted(name) {
		return fault.New(fault.NotFound, "cannot read the log of container %q: there is none", name)
	}
	return files.Read(ctx, q, emit)
}

func (s logService) wanted(name string) bool {
	for _, c := range get(&s.machine.Desired).Containers {
		if c.Name == name {
			return true
		}
	}
	return false
}

func auditFiles(dir, name string) logs.Files {
	return logs.Files{Path: filepath.Join(dir, name), Decode: decodeAudit}
}

// decodeAudit takes only the time out of a line: the rest is for the reader.
func decodeAudit(line []byte) logs.Entry {
	var head struct{ Time time.Time }
	_ = json.Unmarshal(line, &head) // a torn line has no time
	e := logs.DecodeCRI(line)
	e.Time = head.Time
	return e
}
