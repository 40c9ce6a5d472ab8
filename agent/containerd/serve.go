package containerd

import (
	"context"
	"errors"
	"fmt"

	"github.com/containerd/containerd/v2/defaults"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	"github.com/containerd/plugin"
	"github.com/containerd/ttrpc"
	"google.golang.org/grpc"
)

// Descriptors that Config.Command hands down (the first three are the standard ones).
const (
	grpcDescriptor  = 3
	ttrpcDescriptor = 4
)

type grpcService interface{ Register(*grpc.Server) error }

type ttrpcService interface{ RegisterTTRPC(*ttrpc.Server) error }

// serve answers on both sockets until the context ends or one server fails.
func serve(ctx context.Context, set *plugin.Set) error {
	g := grpc.NewServer(
		grpc.UnaryInterceptor(forwardNamespace),
		grpc.StreamInterceptor(forwardNamespaceStream),
		grpc.MaxRecvMsgSize(defaults.DefaultMaxRecvMsgSize),
		grpc.MaxSendMsgSize(defaults.DefaultMaxSendMsgSize),
	)
	t, err := ttrpc.NewServer(ttrpc.WithServerHandshaker(ttrpc.UnixSocketRequireSameUser()))
	if err != nil {
		return fmt.Errorf("cannot make the ttrpc server: %w", err)
	}
	if err := register(set, g, t); err != nil {
		return err
	}
	gl, err := inherit(grpcDescriptor, "gRPC")
	if err != nil {
		return err
	}
	tl, err := inherit(ttrpcDescriptor, "ttrpc")
	if err != nil {
		return err
	}
	failed := make(chan error, 2)
	go func() { failed <- g.Serve(gl) }()
	go func() { failed <- t.Serve(context.WithoutCancel(ctx), tl) }()
	select {
	case <-ctx.Done():
		g.Stop()
		return t.Close()
	case err := <-failed:
		return errors.Join(errors.New("cannot go on serving"), err)
	}
}

func register(set *plugin.Set, g *grpc.Server, t *ttrpc.Server) error {
	for _, p := range set.GetAll() {
		instance, err := p.Instance()
		if err != nil {
			continue
		}
		if s, ok := instance.(grpcService); ok {
			if err := s.Register(g); err != nil {
				return fmt.Errorf("cannot register gRPC service %q: %w", p.Registration.URI(), err)
			}
		}
		if s, ok := instance.(ttrpcService); ok {
			if err := s.RegisterTTRPC(t); err != nil {
				return fmt.Errorf("cannot register ttrpc service %q: %w", p.Registration.URI(), err)
			}
		}
	}
	return nil
}

// forwardNamespace copies the caller's namespace to outgoing calls, as containerd's own server does.
func forwardNamespace(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	return next(withNamespace(ctx), req)
}

func forwardNamespaceStream(srv any, s grpc.ServerStream, _ *grpc.StreamServerInfo, next grpc.StreamHandler) error {
	return next(srv, namespacedStream{s, withNamespace(s.Context())})
}

func withNamespace(ctx context.Context) context.Context {
	if ns, ok := namespaces.Namespace(ctx); ok {
		return namespaces.WithNamespace(ctx, ns)
	}
	return ctx
}

type namespacedStream struct {
	grpc.ServerStream
	ctx context.Context //nolint:containedctx // a stream's context is its own
}

func (s namespacedStream) Context() context.Context { return s.ctx }
