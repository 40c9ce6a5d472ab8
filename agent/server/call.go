package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"connectrpc.com/connect"

	"github.com/stele-os/stele/agent/server/audit"
)

// call is one call, from its header to its end.
type call struct {
	number    uint64
	caller    *caller
	procedure string
	rule      rule
	begun     time.Time
	body      *deadlineBody
	// What follows is set on the way by the goroutine that answers.
	request string
	refused bool // for the caller's role, or for want of room
	reached bool // the request was decoded
	err     error
}

type callKey struct{}

func callOf(ctx context.Context) *call { return ctx.Value(callKey{}).(*call) }

type connKey struct{}

// serveHTTP is the way of every request: who, whether, how much; then the handler; then the record.
func (s *server) serveHTTP(w http.ResponseWriter, r *http.Request) {
	connection := r.Context().Value(connKey{}).(*conn)
	c := &call{number: s.calls.Add(1), caller: connection.caller, procedure: clean(r.URL.Path), rule: rules[r.URL.Path], begun: s.options.Now()}
	defer s.end(c)
	release, err := s.allow(r, connection, c)
	if err != nil {
		c.refused, c.err = true, err
		s.writeError(w, r, err)
		return
	}
	defer release()
	defer func() {
		if p := recover(); p != nil {
			c.err = fmt.Errorf("panic: %v", p)
			s.options.Log.Error(fmt.Sprintf("api: %s: panic: %v\n%s", c.procedure, p, debug.Stack()))
			panic(http.ErrAbortHandler) // the answer has begun, or could not be decoded: only the connection can tell the client
		}
	}()
	ctx, cancel := s.lifetime(context.WithValue(r.Context(), callKey{}, c), c)
	defer cancel()
	control := http.NewResponseController(w)
	c.body = &deadlineBody{ReadCloser: r.Body, control: control, limit: s.options.Limits.Body}
	r = r.WithContext(ctx)
	r.Body = c.body
	s.handler.ServeHTTP(&deadlineWriter{ResponseWriter: w, control: control, limit: s.options.Limits.Write}, r)
}

// allow decides before anything of the request's body is read.
func (s *server) allow(r *http.Request, connection *conn, c *call) (release func(), err error) {
	switch {
	case connection.distrusted.Load():
		return nil, connect.NewError(connect.CodeUnauthenticated, errors.New("the CA of this certificate is no longer one of the machine's client CAs"))
	case !s.options.Now().Before(c.caller.notAfter):
		return nil, connect.NewError(connect.CodeUnauthenticated, errors.New("the certificate is over; ask for a new one"))
	case r.Header.Get("Origin") != "":
		return nil, connect.NewError(connect.CodePermissionDenied, errors.New("this API does not serve web pages"))
	case c.caller.role == noRole:
		return nil, connect.NewError(connect.CodePermissionDenied, errorf("the certificate of %q has no role; it needs O=stele:reader, O=stele:operator or O=stele:admin", c.caller.subject))
	case c.rule.role == noRole:
		return nil, connect.NewError(connect.CodeUnimplemented, errorf("there is no procedure %q", c.procedure))
	case c.caller.role < c.rule.role:
		return nil, roleError(c, c.rule.role)
	}
	return s.slots.take(c.caller, c.rule)
}

func roleError(c *call, needed role) error {
	return connect.NewError(connect.CodePermissionDenied, errorf("role %q may not call %s; it needs role %q", c.caller.role, short(c.procedure), needed))
}

// lifetime ends a stream with its client's certificate, and any other call after a time.
func (s *server) lifetime(ctx context.Context, c *call) (context.Context, context.CancelFunc) {
	limit := c.caller.notAfter.Sub(c.begun)
	if !c.rule.stream {
		limit = min(limit, s.options.Limits.Call)
	}
	return context.WithTimeout(ctx, limit)
}

func (s *server) writeError(w http.ResponseWriter, r *http.Request, err error) {
	if s.errors.IsSupported(r) {
		_ = s.errors.Write(w, r, err)
		return
	}
	status := http.StatusForbidden
	if connect.CodeOf(err) == connect.CodeUnimplemented {
		status = http.StatusNotFound
	}
	http.Error(w, err.Error(), status)
}

// end records what came of a call.
func (s *server) end(c *call) {
	code := "ok"
	switch {
	case c.err != nil:
		code = connect.CodeOf(coded(c.err)).String()
	case !c.reached && !c.refused:
		code = connect.CodeInvalidArgument.String() // Connect answered: it was no request
	}
	r := s.record(c, "end")
	r.Code, r.DurationMs = code, s.options.Now().Sub(c.begun).Milliseconds()
	if c.err != nil {
		r.Error = clean(wordsOf(c.err))
	}
	if c.refused {
		r.Event = "refused"
		s.refuse(r)
		return
	}
	s.write(r, c.rule.changes && c.reached)
	if c.rule.changes && c.err != nil {
		s.tell(fmt.Sprintf("%s: %s: %s", who(c), short(c.procedure), r.Error))
	}
}

func (s *server) record(c *call, event string) audit.Record {
	return audit.Record{
		Event: event, Call: c.number, Subject: c.caller.subject, Serial: c.caller.serial, Fingerprint: c.caller.fingerprint,
		Role: c.caller.role.String(), Remote: c.caller.addr, Procedure: c.procedure, Request: c.request,
	}
}

// who is a caller in words, which other parts of the agent keep, too.
func who(c *call) string { return c.caller.subject }

// short is "UpdateService/Apply" of "/stele.node.v1.UpdateService/Apply".
func short(procedure string) string { return strings.TrimPrefix(procedure, "/stele.node.v1.") }
