package server

import (
	"context"
	"errors"

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
		return nil, connect.NewError(connect.CodeUnimplemented, errors.New("this machine cannot restart containers"))
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
	if err := s.options.Power.Shutdown(false, who(callOf(ctx)), clean(r.Msg.GetReason())); err != nil {
		return nil, err
	}
	return connect.NewResponse(&nodev1.RebootResponse{}), nil
}

func (s powerService) PowerOff(ctx context.Context, r *connect.Request[nodev1.PowerOffRequest]) (*connect.Response[nodev1.PowerOffResponse], error) {
	if err := s.options.Power.Shutdown(true, who(callOf(ctx)), clean(r.Msg.GetReason())); err != nil {
		return nil, err
	}
	return connect.NewResponse(&nodev1.PowerOffResponse{}), nil
}

// resetService implements nodev1.ResetServiceHandler.
type resetService struct{ *server }

func (s resetService) Reset(ctx context.Context, r *connect.Request[nodev1.ResetRequest]) (*connect.Response[nodev1.ResetResponse], error) {
	name := state.Hostname(get(&s.machine.Desired), get(&s.machine.Network))
	if r.Msg.GetConfirmHostname() != name || name == "" {
		return nil, fault.New(fault.Invalid, "cannot reset the machine: confirm_hostname is %q, and this is %q", clean(r.Msg.GetConfirmHostname()), name)
	}
	if err := s.options.Power.Reset(ctx, who(callOf(ctx))); err != nil {
		return nil, err
	}
	return connect.NewResponse(&nodev1.ResetResponse{}), nil
}
