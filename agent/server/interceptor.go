package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"
)

// interceptor is what happens between decoding and handler: the rest of the role table, the record that comes before a change, codes, panics.
type interceptor struct{ server *server }

// WrapUnary implements connect.Interceptor.
func (i interceptor) WrapUnary(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, request connect.AnyRequest) (response connect.AnyResponse, err error) {
		c := callOf(ctx)
		defer func() { c.err = err }()
		defer i.recover(c, &err)
		message, ok := request.Any().(proto.Message)
		if !ok {
			return nil, connect.NewError(connect.CodeInternal, errors.New("the request is no message"))
		}
		if err := i.server.decoded(c, message); err != nil {
			return nil, err
		}
		if response, err = next(ctx, request); err != nil {
			return nil, coded(err)
		}
		if answer, ok := response.Any().(proto.Message); ok {
			repair(answer.ProtoReflect())
		}
		return response, nil
	}
}

// WrapStreamingClient implements connect.Interceptor.
func (i interceptor) WrapStreamingClient(next connect.StreamingClientFunc) connect.StreamingClientFunc {
	return next
}

// WrapStreamingHandler implements connect.Interceptor.
func (i interceptor) WrapStreamingHandler(next connect.StreamingHandlerFunc) connect.StreamingHandlerFunc {
	return func(ctx context.Context, stream connect.StreamingHandlerConn) (err error) {
		c := callOf(ctx)
		defer func() { c.err = err }()
		defer i.recover(c, &err)
		return coded(next(ctx, &firstMessage{StreamingHandlerConn: stream, server: i.server, call: c}))
	}
}

func (i interceptor) recover(c *call, err *error) {
	p := recover()
	if p == nil {
		return
	}
	if p == http.ErrAbortHandler {
		panic(p)
	}
	i.server.options.Log.Error(fmt.Sprintf("api: %s: panic: %v\n%s", c.procedure, p, debug.Stack()))
	*err = connect.NewError(connect.CodeInternal, errorf("the agent failed; its log has the reason (call %d)", c.number))
}

// firstMessage looks at the first message of a stream as WrapUnary does at a request.
type firstMessage struct {
	connect.StreamingHandlerConn
	server *server
	call   *call
}

func (f *firstMessage) Receive(message any) error {
	if err := f.StreamingHandlerConn.Receive(message); err != nil || f.call.reached {
		return err
	}
	m, ok := message.(proto.Message)
	if !ok {
		return connect.NewError(connect.CodeInternal, errors.New("the request is no message"))
	}
	return f.server.decoded(f.call, m)
}

// decoded takes note of a request before its handler sees it.
func (s *server) decoded(c *call, message proto.Message) error {
	c.reached = true
	c.body.free()
	c.request = summary(message)
	if c.rule.more != nil {
		if needed := c.rule.more(message); c.caller.role < needed {
			c.refused = true
			return roleError(c, needed)
		}
	}
	if c.rule.changes || c.rule.stream {
		s.write(s.record(c, "begin"), c.rule.changes)
	}
	if c.rule.changes {
		s.tell(fmt.Sprintf("%s (%s, %s): %s %s", c.caller.subject, c.caller.role, c.caller.addr, short(c.procedure), c.request))
	}
	return nil
}
