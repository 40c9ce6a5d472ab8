package server

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	"connectrpc.com/connect"

	nodev1 "github.com/stele-os/stele/api/node/v1"
)

// watching is a client's stream of events.
type watching struct {
	stream *connect.ServerStreamForClient[nodev1.Event]
	cancel context.CancelFunc
}

// watch returns when the stream is open: it asks for the last event, and there is always one.
func (f *fixture) watch(c *http.Client) *watching {
	f.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	f.t.Cleanup(cancel)
	f.events.Publish("machine", "", "open")
	stream, err := nodev1.NewMachineServiceClient(c, f.url()).WatchEvents(ctx, connect.NewRequest(&nodev1.WatchEventsRequest{Last: 1}))
	if err != nil {
		f.t.Fatal(err)
	}
	if !stream.Receive() {
		f.t.Fatal(stream.Err())
	}
	return &watching{stream, cancel}
}

// drain reads to the end.
func (w *watching) drain() error {
	for w.stream.Receive() {
	}
	if err := w.stream.Err(); !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

// until reads up to a message.
func (w *watching) until(message string) bool {
	for w.stream.Receive() {
		if w.stream.Msg().GetMessage() == message {
			return true
		}
	}
	return false
}

// A stream on which nothing happens for longer than a client may take to accept bytes goes on.
func TestQuietStreamLives(t *testing.T) {
	const limit = 50 * time.Millisecond
	f := start(t, func(o *Options) { o.Limits.Write = limit })
	w := f.watch(f.client(f.ca.client(t, "alice", []string{"stele:reader"}, nil)))
	time.Sleep(4 * limit)
	f.events.Publish("machine", "", "later")
	if !w.until("later") {
		t.Errorf("the stream has ended: %v", w.drain())
	}
}
