package vm

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// listen makes a directory as a running machine leaves it; serve answers each connection.
func listen(t *testing.T, serve func(net.Conn)) (dir string) {
	t.Helper()
	dir = t.TempDir()
	sockets, err := os.MkdirTemp("", "vm-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(sockets) })
	socket := filepath.Join(sockets, "qmp")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	if err := os.Symlink(socket, filepath.Join(dir, qmpLink)); err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			serve(conn)
		}
	}()
	return dir
}

func TestStopRunning(t *testing.T) {
	dir := listen(t, func(conn net.Conn) {
		defer conn.Close()
		fmt.Fprintln(conn, `{"QMP": {}}`)
		for lines, id := bufio.NewScanner(conn), 1; lines.Scan(); id++ {
			fmt.Fprintf(conn, `{"return": {}, "id": %d}`+"\n", id)
			if strings.Contains(lines.Text(), "system_powerdown") {
				return
			}
		}
	})
	if pid, err := StopRunning(t.Context(), dir); err != nil || pid != os.Getpid() {
		t.Errorf("got process %d, %v", pid, err)
	}
	if pid, err := StopRunning(t.Context(), dir); err != nil || pid != 0 {
		t.Errorf("when nothing runs: process %d, %v", pid, err)
	}
}

func TestStopRunningAttended(t *testing.T) {
	dir := listen(t, func(net.Conn) {}) // accepted by the kernel, never greeted
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := StopRunning(ctx, dir); !errors.Is(err, ErrAttended) {
		t.Errorf("got %v", err)
	}
}

func TestStopRunningAfterACrash(t *testing.T) {
	dir := t.TempDir()
	sockets := filepath.Join(t.TempDir(), "vm-1")
	if err := os.Symlink(filepath.Join(sockets, "qmp"), filepath.Join(dir, qmpLink)); err != nil {
		t.Fatal(err)
	}
	if pid, err := StopRunning(t.Context(), dir); err != nil || pid != 0 {
		t.Errorf("got process %d, %v", pid, err)
	}
	if _, err := os.Lstat(filepath.Join(dir, qmpLink)); !os.IsNotExist(err) {
		t.Error("the stale link is still there")
	}
}
