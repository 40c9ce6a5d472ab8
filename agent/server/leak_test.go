package server

import (
	"context"
	"net/http"
	"runtime"
	"testing"
	"time"

	"connectrpc.com/connect"

	nodev1 "github.com/stele-os/stele/api/node/v1"
)

// TestNothingIsLeft: connections, calls and streams that are over leave neither memory nor goroutines behind.
func TestNothingIsLeft(t *testing.T) {
	f, l := open(t, Limits{})
	cert := f.ca.client(t, "otto", []string{"stele:operator"}, nil)
	f.events.Publish("machine", "", "open")
	round := func() {
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: clientSettings(cert), ForceAttemptHTTP2: true}}
		if f.status(client) != 200 {
			t.Fatal("no answer")
		}
		ctx, cancel := context.WithCancel(context.Background())
		stream, err := nodev1.NewMachineServiceClient(client, f.url()).WatchEvents(ctx, connect.NewRequest(&nodev1.WatchEventsRequest{Last: 1}))
		if err != nil || !stream.Receive() {
			t.Fatal("no stream")
		}
		cancel()
		_ = stream.Close()
		for _, admitted := l.gate.counts(); admitted > 0; _, admitted = l.gate.counts() {
			client.CloseIdleConnections() // it is idle once the client knows that the stream is over
			time.Sleep(time.Millisecond)
		}
	}
	settle := func() (heap uint64, goroutines int) {
		for {
			if _, admitted := l.gate.counts(); admitted == 0 && f.streams() == 0 {
				break
			}
			time.Sleep(time.Millisecond)
		}
		heap, _ = memory()
		return heap, runtime.NumGoroutine()
	}
	for range 20 {
		round()
	}
	heap, goroutines := settle()
	const rounds = 100
	for range rounds {
		round()
	}
	heapAfter, goroutinesAfter := settle()
	grown := int64(heapAfter) - int64(heap)
	t.Logf("%d KiB and %d goroutines more after %d rounds", grown>>10, goroutinesAfter-goroutines, rounds)
	if grown > 1<<20 || goroutinesAfter > goroutines+10 {
		t.Errorf("%d bytes and %d goroutines more", grown, goroutinesAfter-goroutines)
	}
}
