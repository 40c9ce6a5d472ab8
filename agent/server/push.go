package server

import (
	"context"
	"errors"
	"io"
	"time"

	"connectrpc.com/connect"

	"github.com/stele-os/stele/agent/fault"
	nodev1 "github.com/stele-os/stele/api/node/v1"
)

// Push: the client holds a repository, and the machine asks for ranges of its files, one after the other. What comes is trusted with nothing.
func (s updateService) Push(ctx context.Context, stream *connect.BidiStream[nodev1.PushUpdateRequest, nodev1.PushUpdateResponse]) error {
	first, err := stream.Receive()
	if err != nil {
		if errors.Is(err, io.EOF) {
			return fault.New(fault.Invalid, "cannot take an update: the client said nothing")
		}
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	source := newPushed(stream, s.options.Limits.Need)
	received := make(chan struct{})
	go func() {
		defer close(received)
		cancel(contained(func() error { return source.receive(ctx) }))
	}()
	caller, version := who(callOf(ctx)), clean(first.GetVersion())
	err = s.whileStaging(ctx,
		func(ctx context.Context) error { return s.options.Updates.Push(ctx, caller, version, source) },
		func(p *nodev1.Progress) error { return source.send(&nodev1.PushUpdateResponse{Progress: p}) })
	if cause := context.Cause(ctx); err != nil && cause != nil && errors.Is(err, context.Canceled) {
		err = cause // the client broke the rules, or left
	}
	cancel(nil)
	_ = callOf(ctx).body.control.SetReadDeadline(time.Unix(1, 0)) // what the receiver waits for does not come any more
	<-received
	return err
}
