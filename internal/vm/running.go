package vm

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// qmpLink is the link in Options.Dir to the QMP socket of the machine that uses the directory.
const qmpLink = "qmp"

// greetingTimeout bounds the wait for QMP's greeting: QEMU serves one client at a time, a second one waits in line.
const greetingTimeout = 3 * time.Second

// ErrAttended means that a machine runs under another process, which holds its QMP connection.
var ErrAttended = errors.New("another process attends it")

// replaceLink leaves in a machine's directory what StopRunning looks for. A link that is there already is of a machine that has ended.
func replaceLink(socket, link string) error {
	if err := os.Remove(link); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return os.Symlink(socket, link)
}

// StopRunning powers down the machine that runs in dir, left by an earlier process (Options.Detached), and cuts it when ctx is over.
// It returns the process id of the QEMU that has ended; 0 where no machine ran.
func StopRunning(ctx context.Context, dir string) (pid int, err error) {
	link := filepath.Join(dir, qmpLink)
	socket, err := os.Readlink(link)
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	} else if err != nil {
		return 0, err
	}
	conn, err := net.Dial("unix", socket)
	if err != nil { // it has ended by itself
		return 0, errors.Join(os.RemoveAll(filepath.Dir(socket)), os.Remove(link))
	}
	if pid, err = peer(conn); err != nil {
		conn.Close()
		return 0, err
	}
	if err := powerDown(ctx, conn, pid); err != nil {
		return pid, fmt.Errorf("cannot stop the machine in %q, process %d: %w", dir, pid, err)
	}
	return pid, errors.Join(os.RemoveAll(filepath.Dir(socket)), os.Remove(link))
}

// peer is the process that listens at the other end of a unix socket (unix(7), SO_PEERCRED).
func peer(conn net.Conn) (pid int, err error) {
	raw, err := conn.(*net.UnixConn).SyscallConn()
	if err != nil {
		return 0, err
	}
	var credentials *unix.Ucred
	controlErr := raw.Control(func(fd uintptr) {
		credentials, err = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	})
	if err = errors.Join(controlErr, err); err != nil {
		return 0, err
	}
	return int(credentials.Pid), nil
}

// powerDown presses the power button and waits for QEMU's end, which ends the connection.
func powerDown(ctx context.Context, conn net.Conn, pid int) error {
	greeting, cancel := context.WithTimeout(ctx, greetingTimeout)
	defer cancel()
	client, err := newClient(greeting, conn)
	if err != nil && greeting.Err() != nil {
		return ErrAttended
	} else if err != nil {
		return err
	}
	if err := client.Execute(ctx, "system_powerdown", nil, nil); err != nil {
		return err
	}
	_, err = client.ExpectEvent(ctx, 0, "") // no event is called so: returns when the connection ends or ctx is over
	if ctx.Err() == nil {
		return nil
	}
	return errors.Join(err, syscall.Kill(pid, syscall.SIGKILL))
}
