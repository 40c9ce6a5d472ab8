package server

import (
	"context"
	"time"

	"connectrpc.com/connect"

	"github.com/stele-os/stele/agent/fault"
	nodev1 "github.com/stele-os/stele/api/node/v1"
)

// maxTrial bounds how long a document may be on trial.
const maxTrial = 24 * time.Hour

// configService implements nodev1.ConfigServiceHandler.
type configService struct{ *server }

func (s configService) Get(ctx context.Context, _ *connect.Request[nodev1.GetConfigRequest]) (*connect.Response[nodev1.GetConfigResponse], error) {
	v, err := s.options.Configuration.Get(callOf(ctx).caller.role >= admin)
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&nodev1.GetConfigResponse{Document: v.Document, Effective: v.Effective, Source: v.Source, Digest: v.Digest}), nil
}

func (s configService) Check(_ context.Context, r *connect.Request[nodev1.CheckConfigRequest]) (*connect.Response[nodev1.CheckConfigResponse], error) {
	problems, changes := s.options.Configuration.Check([]byte(r.Msg.GetDocument()))
	return connect.NewResponse(&nodev1.CheckConfigResponse{Errors: problems, Changes: changes}), nil
}

func (s configService) Apply(ctx context.Context, r *connect.Request[nodev1.ApplyConfigRequest]) (*connect.Response[nodev1.ApplyConfigResponse], error) {
	trial := r.Msg.GetTryFor()
	if trial != nil && (trial.CheckValid() != nil || trial.AsDuration() < 0 || trial.AsDuration() > maxTrial) {
		return nil, fault.New(fault.Invalid, "cannot apply the document: try_for is %ds; it may be 0 to %s", trial.GetSeconds(), maxTrial)
	}
	c := callOf(ctx)
	result, err := s.options.Configuration.Apply(ctx, who(c), DocumentRequest{
		Document: []byte(r.Msg.GetDocument()), DryRun: r.Msg.GetDryRun(), TryFor: trial.AsDuration(), IfDigest: r.Msg.GetIfDigest(),
		MayChangeCAs: c.caller.role >= admin,
	})
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&nodev1.ApplyConfigResponse{Digest: result.Digest, Changes: result.Changes, RevertAt: moments(result.RevertAt)}), nil
}

func (s configService) Confirm(ctx context.Context, r *connect.Request[nodev1.ConfirmConfigRequest]) (*connect.Response[nodev1.ConfirmConfigResponse], error) {
	if err := s.options.Configuration.Confirm(ctx, who(callOf(ctx)), r.Msg.GetDigest()); err != nil {
		return nil, err
	}
	return connect.NewResponse(&nodev1.ConfirmConfigResponse{}), nil
}

func (s configService) Revert(ctx context.Context, r *connect.Request[nodev1.RevertConfigRequest]) (*connect.Response[nodev1.RevertConfigResponse], error) {
	c := callOf(ctx)
	digest, err := s.options.Configuration.Revert(ctx, who(c), RevertRequest{ToMetadata: r.Msg.GetToMetadata(), MayChangeCAs: c.caller.role >= admin})
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&nodev1.RevertConfigResponse{Digest: digest}), nil
}
