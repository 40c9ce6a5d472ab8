package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"connectrpc.com/connect"

	"github.com/stele-os/stele/agent/update/repository"
	nodev1 "github.com/stele-os/stele/api/node/v1"
)

func TestStageSendsProgress(t *testing.T) {
	t.Parallel()
	w := startWhole(t)
	c := nodev1.NewUpdateServiceClient(w.as("stele:operator"), w.url())
	stream, err := c.Stage(context.Background(), connect.NewRequest(&nodev1.StageUpdateRequest{Version: "1.1.0"}))
	if err != nil {
		t.Fatal(err)
	}
	var last *nodev1.Progress
	done := make(chan struct{})
	go func() {
		defer close(done)
		for stream.Receive() {
			last = stream.Msg().GetProgress()
		}
	}()
	for range 4 {
		w.updates.block <- struct{}{}
	}
	<-done
	if stream.Err() != nil || last.GetPhase() != "done" || last.GetVersion() != "1.1.0" || w.updates.caller == "" {
		t.Errorf("%v %v", last, stream.Err())
	}
}

// serve answers Needs from files, as stele node update --bundle does.
func serve(stream *connect.BidiStreamForClient[nodev1.PushUpdateRequest, nodev1.PushUpdateResponse], files map[string][]byte) (last *nodev1.Progress, err error) {
	for {
		m, err := stream.Receive()
		if errors.Is(err, io.EOF) {
			return last, nil
		}
		if err != nil {
			return last, err
		}
		if m.GetProgress() != nil {
			last = m.GetProgress()
		}
		need := m.GetNeed()
		if need == nil {
			continue
		}
		content, ok := files[need.GetPath()]
		if !ok {
			_ = stream.Send(&nodev1.PushUpdateRequest{Need: need.GetId(), NotFound: true})
			continue
		}
		content = content[need.GetOffset():]
		if need.GetLength() >= 0 {
			content = content[:need.GetLength()]
		}
		for len(content) > 0 {
			part := content[:min(len(content), pushDataBytes)]
			content = content[len(part):]
			if err := stream.Send(&nodev1.PushUpdateRequest{Need: need.GetId(), Data: part, End: len(content) == 0}); err != nil {
				break
			}
		}
	}
}

func TestPush(t *testing.T) {
	t.Parallel()
	w := startWhole(t)
	content := bytes.Repeat([]byte("0123456789abcdef"), 100_000)
	for name, c := range map[string]nodev1.UpdateServiceClient{
		"Connect": nodev1.NewUpdateServiceClient(w.as("stele:operator"), w.url()),
		"gRPC":    nodev1.NewUpdateServiceClient(w.as("stele:operator"), w.url(), connect.WithGRPC()),
	} {
		stream := c.Push(context.Background())
		if err := stream.Send(&nodev1.PushUpdateRequest{Version: "1.1.0"}); err != nil {
			t.Fatal(err)
		}
		last, err := serve(stream, map[string][]byte{"targets/bundle": content})
		_ = stream.CloseRequest()
		if err != nil || last.GetPhase() != "done" || !bytes.Equal(w.updates.got, content) {
			t.Errorf("%s: %v %v, %d bytes", name, last, err, len(w.updates.got))
		}
	}
}

func TestPushEndsWithBadClients(t *testing.T) {
	t.Parallel()
	for name, answers := range map[string][]*nodev1.PushUpdateRequest{
		"leaves":              nil,
		"an unasked need":     {{Need: 99, Data: []byte("x")}},
		"no need":             {{Data: []byte("x")}},
		"a large message":     {{Need: 1, Data: make([]byte, pushDataBytes+1)}},
		"more than asked":     {{Need: 1, NotFound: true}, {Need: 2, Data: make([]byte, 1001)}},
		"less than asked":     {{Need: 1, NotFound: true}, {Need: 2, Data: make([]byte, 999), End: true}},
		"nothing, slowly":     {{Need: 1, NotFound: true}, {Need: 2}},
		"not there after all": {{Need: 1, NotFound: true}, {Need: 2, NotFound: true}},
	} {
		t.Run(name, func(t *testing.T) {
			w := startWhole(t)
			stream := nodev1.NewUpdateServiceClient(w.as("stele:operator"), w.url()).Push(context.Background())
			_ = stream.Send(&nodev1.PushUpdateRequest{Version: "1.1.0"})
			for _, m := range answers {
				if _, err := stream.Receive(); err != nil { // each answers a Need
					t.Fatal(err)
				}
				_ = stream.Send(m)
			}
			if answers == nil {
				_ = stream.CloseRequest()
			}
			err := error(nil)
			for err == nil {
				_, err = stream.Receive()
			}
			if errors.Is(err, io.EOF) || code(err) == connect.CodeInternal {
				t.Error(err)
			}
			t.Log(err)
		})
	}
}

// silent is a push whose client says nothing.
type silent struct{ left chan struct{} }

func (s silent) Receive() (*nodev1.PushUpdateRequest, error) { <-s.left; return nil, io.EOF }
func (silent) Send(*nodev1.PushUpdateResponse) error         { return nil }

func TestPushOfASilentClient(t *testing.T) {
	p := newPushed(silent{}, time.Millisecond)
	if _, err := p.Open(context.Background(), "metadata/timestamp.json", 0, -1); err == nil {
		t.Error("it waits for ever")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := p.Open(ctx, "metadata/timestamp.json", 0, -1); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// scripted is a push whose client says what a fuzzer wants.
type scripted struct {
	messages chan *nodev1.PushUpdateRequest
}

func (s scripted) Receive() (*nodev1.PushUpdateRequest, error) {
	m, ok := <-s.messages
	if !ok {
		return nil, io.EOF
	}
	return m, nil
}

func (scripted) Send(*nodev1.PushUpdateResponse) error { return nil }

// FuzzPush: each four bytes are a message: need, size, flags, unused. Whatever comes, a reader gets what it asked for or an error.
func FuzzPush(f *testing.F) {
	f.Add([]byte{1, 10, 1, 0, 2, 10, 1, 0}, int64(10))
	f.Add([]byte{1, 10, 0, 0, 1, 10, 1, 0, 2, 0, 2, 0}, int64(20))
	f.Fuzz(func(t *testing.T, script []byte, length int64) {
		messages := make(chan *nodev1.PushUpdateRequest, len(script)/4+1)
		for ; len(script) >= 4; script = script[4:] {
			messages <- &nodev1.PushUpdateRequest{Need: uint64(script[0]), Data: make([]byte, script[1]), End: script[2]&1 != 0, NotFound: script[2]&2 != 0}
		}
		close(messages)
		p := newPushed(scripted{messages}, time.Second)
		ctx, cancel := context.WithCancelCause(context.Background())
		defer cancel(nil)
		ended := make(chan struct{})
		go func() { defer close(ended); cancel(p.receive(ctx)) }()
		for i := range 3 {
			r, err := p.Open(ctx, fmt.Sprint(i), 0, length)
			if err != nil {
				continue
			}
			data, err := io.ReadAll(r)
			r.Close()
			if err == nil && length >= 0 && int64(len(data)) != length {
				t.Errorf("%d bytes, want %d", len(data), length)
			}
		}
		<-ended
	})
}

var _ repository.Source = (*pushed)(nil)
