package server

import (
	"context"
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"
)

// listening is one open port.
type listening struct {
	front   *front
	gate    *gate
	http    *http.Server
	cancel  context.CancelFunc
	running sync.WaitGroup
}

func (s *server) serve(raw net.Listener, authorities *x509.CertPool) *listening {
	limits := s.options.Limits
	ctx, cancel := context.WithCancel(context.Background())
	l := &listening{gate: newGate(limits, s.options.Now, authorities), cancel: cancel}
	settings := tlsSettings(s.identity.Certificate, authorities, s.options.Now)
	l.front = newFront(raw, l.gate, limits, settings, s.refuseConnection)
	l.http = &http.Server{
		Handler:           http.HandlerFunc(s.serveHTTP),
		TLSConfig:         settings,
		ReadHeaderTimeout: limits.Header,
		IdleTimeout:       limits.Idle,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          log.New(io.Discard, "", 0), // what clients do wrong is theirs to know; panics are caught before
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ConnContext:       withConnection,
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams:          limits.ClientCalls,
			MaxDecoderHeaderTableSize:     4 << 10,
			MaxReadFrameSize:              16 << 10,
			MaxReceiveBufferPerConnection: pushDataBytes,
			MaxReceiveBufferPerStream:     pushDataBytes,
			SendPingTimeout:               30 * time.Second,
			PingTimeout:                   15 * time.Second,
			WriteByteTimeout:              limits.Write,
		},
	}
	l.running.Go(func() { l.front.run(ctx) })
	l.running.Go(func() { _ = l.http.Serve(l.front) })
	return l
}

// trust changes whose clients may call. The calls of those who may not any more get a moment: one of them may be the very call that did it.
func (l *listening) trust(s *server, authorities *x509.CertPool) {
	settings := tlsSettings(s.identity.Certificate, authorities, s.options.Now)
	l.front.settings.Store(settings)
	gone := l.gate.trust(authorities)
	if len(gone) == 0 {
		return
	}
	l.running.Go(func() {
		time.Sleep(s.options.Limits.Farewell)
		for _, c := range gone {
			_ = c.Close()
		}
	})
}

// stop ends everything. Calls in flight get a moment.
func (l *listening) stop(farewell time.Duration) {
	_ = l.front.Close()
	ctx, cancel := context.WithTimeout(context.Background(), farewell)
	defer cancel()
	if l.http.Shutdown(ctx) != nil {
		l.cancel()
		_ = l.http.Close()
	}
	l.cancel()
	l.running.Wait()
}
