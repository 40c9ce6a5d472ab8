package server

import (
	"context"
	"crypto/tls"
	"net"
)

// withConnection lets a request know the connection that it came over.
func withConnection(ctx context.Context, n net.Conn) context.Context {
	t, ok := n.(*tls.Conn)
	if !ok {
		return ctx
	}
	return context.WithValue(ctx, connKey{}, t.NetConn())
}
