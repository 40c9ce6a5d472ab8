package server

import (
	"context"

	"connectrpc.com/connect"

	"github.com/stele-os/stele/agent/fault"
	"github.com/stele-os/stele/agent/state"
	nodev1 "github.com/stele-os/stele/api/node/v1"
)

// containerService implements nodev1.ContainerServiceHandler.
type containerService struct{ *server }

func (s containerService) List(context.Context, *connect.Request[nodev1.ListContainersRequest]) (*connect.Response[nodev1.ListContainersResponse], error) {
	list := containersOf(get(&s.machine.Containers), get(&s.machine.Desired))
	return connect.NewResponse(&nodev1.ListContainersResponse{Containers: list}), nil
}

func (s containerService) Restart(ctx context.Context, r *connect.Request[nodev1.RestartContainerRequest]) (*connect.Response[nodev1.RestartContainerResponse], error) {
	if s.options.Containers == nil {
		return nil, absent("containers manager")
	}
	if r.Msg.GetName() == "" {
		return nil, fault.New(fault.Invalid, "cannot restart a container: the request names none")
	}
	if err := s.options.Containers.Restart(ctx, r.Msg.GetName()); err != nil {
		return nil, err
	}
	return connect.NewResponse(&nodev1.RestartContainerResponse{}), nil
}

// powerService implements nodev1.PowerServiceHandler.
type powerService struct{ *server }

func (s powerService) Reboot(ctx context.Context, r *connect.Request[nodev1.RebootRequest]) (*connect.Response[nodev1.RebootResponse], error) {
	return connect.NewResponse(&nodev1.RebootResponse{}), s.shutdown(ctx, false, r.Msg.GetReason())
}

func (s powerService) PowerOff(ctx context.Context, r *connect.Request[nodev1.PowerOffRequest]) (*connect.Response[nodev1.PowerOffResponse], error) {
	return connect.NewResponse(&nodev1.PowerOffResponse{}), s.shutdown(ctx, true, r.Msg.GetReason())
}

func (s powerService) shutdown(ctx context.Context, off bool, reason string) error {
	if s.options.Power == nil {
		return absent("power switch")
	}
	return s.options.Power.Shutdown(off, who(callOf(ctx)), clean(reason))
}

// resetService implements nodev1.ResetServiceHandler.
type resetService struct{ *server }

func (s resetService) Reset(ctx context.Context, r *connect.Request[nodev1.ResetRequest]) (*connect.Response[nodev1.ResetResponse], error) {
	if s.options.Power == nil {
		return nil, absent("power switch")
	}
	name := state.Hostname(get(&s.machine.Desired), get(&s.machine.Network))
	if r.Msg.GetConfirmHostname() != name || name == "" {
		return nil, fault.New(fault.Invalid, "cannot reset the machine: confirm_hostname is %q, and this is %q", clean(r.Msg.GetConfirmHostname()), name)
	}
	if err := s.options.Power.Reset(ctx, who(callOf(ctx))); err != nil {
		return nil, err
	}
	return connect.NewResponse(&nodev1.ResetResponse{}), nil
}
