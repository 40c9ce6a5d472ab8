package vm

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"
)

// fakeQEMU answers QMP commands as a real one does, with the state that the tests look at.
type fakeQEMU struct {
	conn    net.Conn
	running bool
}

func startFakeQEMU(t *testing.T) *Client {
	t.Helper()
	ours, theirs := net.Pipe()
	fake := &fakeQEMU{conn: theirs, running: true}
	go fake.serve()
	client, err := newClient(t.Context(), ours)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ours.Close() })
	return client
}

func (f *fakeQEMU) serve() {
	defer f.conn.Close()
	fmt.Fprintln(f.conn, `{"QMP": {"version": {"qemu": {"major": 10, "minor": 0, "micro": 2}}, "capabilities": ["oob"]}}`)
	scanner := bufio.NewScanner(f.conn)
	for f.running && scanner.Scan() {
		var request struct {
			Execute string `json:"execute"`
			ID      int64  `json:"id"`
		}
		if json.Unmarshal(scanner.Bytes(), &request) != nil {
			return
		}
		f.answer(request.Execute, request.ID)
	}
}

func (f *fakeQEMU) answer(command string, id int64) {
	switch command {
	case "qmp_capabilities":
		fmt.Fprintf(f.conn, `{"return": {}, "id": %d}`+"\n", id)
	case "query-status":
		fmt.Fprintf(f.conn, `{"return": {"running": %v, "status": "running"}, "id": %d}`+"\n", f.running, id)
	case "system_powerdown":
		fmt.Fprintf(f.conn, `{"return": {}, "id": %d}`+"\n", id)
		fmt.Fprintln(f.conn, `{"event": "POWERDOWN", "timestamp": {"seconds": 1, "microseconds": 2}}`)
		fmt.Fprintln(f.conn, `{"event": "SHUTDOWN", "data": {"guest": true, "reason": "guest-shutdown"}, "timestamp": {"seconds": 1, "microseconds": 3}}`)
	case "quit":
		f.running = false
	default:
		fmt.Fprintf(f.conn, `{"error": {"class": "CommandNotFound", "desc": "The command %s has not been found"}, "id": %d}`+"\n", command, id)
	}
}

func TestClientExecutes(t *testing.T) {
	c := startFakeQEMU(t)
	var status struct{ Running bool }
	if err := c.Execute(t.Context(), "query-status", nil, &status); err != nil || !status.Running {
		t.Errorf("query-status: %+v, %v", status, err)
	}
	err := c.Execute(t.Context(), "frobnicate", nil, nil)
	want := `cannot execute QMP command "frobnicate": CommandNotFound: The command frobnicate has not been found`
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestClientKeepsEvents(t *testing.T) {
	c := startFakeQEMU(t)
	if err := c.Execute(t.Context(), "system_powerdown", nil, nil); err != nil {
		t.Fatal(err)
	}
	event, err := c.ExpectEvent(t.Context(), 0, "SHUTDOWN")
	if err != nil || event.Data["reason"] != "guest-shutdown" {
		t.Errorf("event %+v, %v", event, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := c.ExpectEvent(ctx, 0, "WATCHDOG"); err == nil {
		t.Error("an event that never came was found")
	}
}

func TestClientFailsWhenTheConnectionEnds(t *testing.T) {
	c := startFakeQEMU(t)
	if err := c.Execute(t.Context(), "quit", nil, nil); err == nil {
		t.Error("a command without an answer succeeded")
	}
	if err := c.Execute(t.Context(), "query-status", nil, nil); err == nil {
		t.Error("a command after the end succeeded")
	}
	if _, err := c.ExpectEvent(t.Context(), 0, "SHUTDOWN"); err == nil {
		t.Error("an event after the end was found")
	}
}

func TestClientRefusesAnotherProtocol(t *testing.T) {
	ours, theirs := net.Pipe()
	go func() { fmt.Fprintln(theirs, `{"return": {}}`) }()
	if _, err := newClient(t.Context(), ours); err == nil || !strings.Contains(err.Error(), "not a QMP server") {
		t.Errorf("got %v", err)
	}
}

func FuzzDecodeMessage(f *testing.F) {
	for _, line := range []string{
		`{"QMP": {"version": {}, "capabilities": []}}`, `{"return": {}, "id": 1}`, `{"error": {"class": "GenericError", "desc": "x"}, "id": 2}`,
		`{"event": "RESET", "data": {"guest": true}, "timestamp": {"seconds": 1}}`, `[]`, `{"id": "text"}`, ``,
	} {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		m, err := decodeMessage(line)
		if err != nil {
			return
		}
		c := &Client{pending: map[int64]chan message{1: make(chan message, 1)}, changed: make(chan struct{})}
		c.dispatch(m)
		if len(c.events) > 1 || len(c.pending) > 1 {
			t.Fatalf("one message made %d events", len(c.events))
		}
	})
}
