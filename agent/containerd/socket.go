package containerd

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
)

// Sockets are the two listening sockets of containerd. The agent holds them for the life of the machine.
type Sockets struct {
	grpc, ttrpc *os.File
}

// Listen makes both sockets (mode 0600), in place of what a killed agent may have left behind.
func Listen(c Config) (*Sockets, error) {
	if err := os.MkdirAll(c.State, 0o711); err != nil {
		return nil, fmt.Errorf("cannot make directory %q: %w", c.State, err)
	}
	grpc, err := listenUnix(c.Address())
	if err != nil {
		return nil, err
	}
	ttrpc, err := listenUnix(c.ttrpcAddress())
	if err != nil {
		grpc.Close()
		return nil, err
	}
	return &Sockets{grpc: grpc, ttrpc: ttrpc}, nil
}

// Close gives both sockets up.
func (s *Sockets) Close() {
	s.grpc.Close()
	s.ttrpc.Close()
}

func listenUnix(path string) (*os.File, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o711); err != nil {
		return nil, fmt.Errorf("cannot make directory of socket %q: %w", path, err)
	}
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
		return nil, fmt.Errorf("cannot remove old socket %q: %w", path, err)
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("cannot listen on socket %q: %w", path, err)
	}
	l.SetUnlinkOnClose(false)
	defer l.Close()
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, fmt.Errorf("cannot protect socket %q: %w", path, err)
	}
	return l.File()
}
