package server

import (
	"net/http"
	"sync/atomic"
	"time"

	"connectrpc.com/connect"

	"github.com/stele-os/stele/agent/server/audit"
	"github.com/stele-os/stele/agent/server/identity"
	"github.com/stele-os/stele/agent/state"
	nodev1 "github.com/stele-os/stele/api/node/v1"
)

// server is what stays the same while listeners come and go.
type server struct {
	options  Options
	machine  *state.Machine
	identity *identity.Identity
	audit    *audit.Log
	slots    *slots
	calls    atomic.Uint64 // numbers them
	// refusals bounds what the audit log takes of them, alarms events, unwritten complaints about the audit log.
	refusals, alarms, unwritten *budget
	handler                     http.Handler
	errors                      *connect.ErrorWriter
}

func newServer(m *state.Machine, o Options, id *identity.Identity, log *audit.Log) *server {
	s := &server{options: o, machine: m, identity: id, audit: log, slots: newSlots(o.Limits), errors: connect.NewErrorWriter()}
	s.refusals = newBudget(o.Now, 20, time.Second)
	s.alarms = newBudget(o.Now, 10, time.Minute)
	s.unwritten = newBudget(o.Now, 20, time.Second)
	s.handler = s.routes()
	return s
}

// routes maps procedures to handlers; what the machine lacks the part for is not found. Compression is off: a compressor costs some 800 KiB for each call that uses one.
func (s *server) routes() http.Handler {
	options := connect.WithHandlerOptions(
		connect.WithCompression("gzip", nil, nil),
		connect.WithConditionalHandlerOptions(func(spec connect.Spec) []connect.HandlerOption {
			return []connect.HandlerOption{connect.WithReadMaxBytes(max(rules[spec.Procedure].maxBytes, 1))}
		}),
		connect.WithInterceptors(interceptor{s}),
	)
	mux := http.NewServeMux()
	mux.Handle(nodev1.NewMachineServiceHandler(machineService{s}, options))
	mux.Handle(nodev1.NewLogServiceHandler(logService{s}, options))
	mux.Handle(nodev1.NewContainerServiceHandler(containerService{s}, options))
	mux.Handle(nodev1.NewIdentityServiceHandler(identityService{s}, options))
	if s.options.Configuration != nil {
		mux.Handle(nodev1.NewConfigServiceHandler(configService{s}, options))
	}
	if s.options.Updates != nil {
		mux.Handle(nodev1.NewUpdateServiceHandler(updateService{s}, options))
	}
	if s.options.Power != nil {
		mux.Handle(nodev1.NewPowerServiceHandler(powerService{s}, options))
		mux.Handle(nodev1.NewResetServiceHandler(resetService{s}, options))
	}
	return mux
}
