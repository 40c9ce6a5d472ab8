package server

import (
	"context"
	"slices"
	"time"

	"connectrpc.com/connect"

	"github.com/stele-os/stele/agent/state"
	nodev1 "github.com/stele-os/stele/api/node/v1"
)

// progressPeriod is the least time between two messages of progress.
const progressPeriod = 250 * time.Millisecond

// updateService implements nodev1.UpdateServiceHandler.
type updateService struct{ *server }

func (s updateService) Check(ctx context.Context, _ *connect.Request[nodev1.CheckUpdateRequest]) (*connect.Response[nodev1.CheckUpdateResponse], error) {
	r, err := s.options.Updates.Check(ctx)
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&nodev1.CheckUpdateResponse{Running: r.Running, Available: r.Available, Reason: r.Reason, Bytes: r.Bytes, Versions: slices.Clone(r.Versions)}), nil
}

func (s updateService) Stage(ctx context.Context, r *connect.Request[nodev1.StageUpdateRequest], out *connect.ServerStream[nodev1.StageUpdateResponse]) error {
	caller, version := who(callOf(ctx)), clean(r.Msg.GetVersion())
	return s.whileStaging(ctx,
		func(ctx context.Context) error { return s.options.Updates.Stage(ctx, caller, version) },
		func(p *nodev1.Progress) error { return out.Send(&nodev1.StageUpdateResponse{Progress: p}) })
}

func (s updateService) Cancel(ctx context.Context, _ *connect.Request[nodev1.CancelUpdateRequest]) (*connect.Response[nodev1.CancelUpdateResponse], error) {
	if err := s.options.Updates.Cancel(ctx); err != nil {
		return nil, err
	}
	return connect.NewResponse(&nodev1.CancelUpdateResponse{}), nil
}

func (s updateService) Apply(ctx context.Context, r *connect.Request[nodev1.ApplyUpdateRequest]) (*connect.Response[nodev1.ApplyUpdateResponse], error) {
	request := ApplyRequest{Version: clean(r.Msg.GetVersion()), Reason: clean(r.Msg.GetReason()), RequireConfirmation: r.Msg.GetRequireConfirmation()}
	if err := s.options.Updates.Apply(ctx, who(callOf(ctx)), request); err != nil {
		return nil, err
	}
	return connect.NewResponse(&nodev1.ApplyUpdateResponse{}), nil
}

func (s updateService) Commit(ctx context.Context, r *connect.Request[nodev1.CommitUpdateRequest]) (*connect.Response[nodev1.CommitUpdateResponse], error) {
	if err := s.options.Updates.Commit(ctx, who(callOf(ctx)), clean(r.Msg.GetVersion())); err != nil {
		return nil, err
	}
	return connect.NewResponse(&nodev1.CommitUpdateResponse{}), nil
}

func (s updateService) Rollback(ctx context.Context, r *connect.Request[nodev1.RollbackUpdateRequest]) (*connect.Response[nodev1.RollbackUpdateResponse], error) {
	request := RollbackRequest{Reason: clean(r.Msg.GetReason()), AcceptLowerSecurity: r.Msg.GetAcceptLowerSecurity()}
	version, err := s.options.Updates.Rollback(ctx, who(callOf(ctx)), request)
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&nodev1.RollbackUpdateResponse{ToVersion: version}), nil
}

// whileStaging runs stage and sends its progress meanwhile. Only the latest state is sent: a client that does not keep up sees fewer. A panic
// of stage is the caller's.
func (s *server) whileStaging(ctx context.Context, stage func(context.Context) error, send func(*nodev1.Progress) error) error {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- contained(func() error { return stage(ctx) }) }()
	var sent state.Progress
	tick := time.NewTicker(progressPeriod)
	defer tick.Stop()
	for {
		select {
		case err := <-ended:
			cancel()
			if p := get(&s.machine.Update).Progress; err == nil && p != (state.Progress{}) {
				err = send(progressOf(p))
			}
			return err
		case <-tick.C:
			p := get(&s.machine.Update).Progress
			if p == sent || p == (state.Progress{}) {
				continue
			}
			if err := send(progressOf(p)); err != nil {
				cancel()
				<-ended
				return err
			}
			sent = p
		}
	}
}

// contained turns a panic of another goroutine's work into an error.
func contained(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = errorf("panic: %v", p)
		}
	}()
	return f()
}
