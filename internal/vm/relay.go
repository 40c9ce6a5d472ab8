package vm

import (
	"fmt"
	"io"
	"net"
	"os"
)

// relayWord as the first argument makes a program that calls RunRelay the other end of a GuestForward.
const relayWord = "vm-relay"

// RunRelay must be called first thing in main (or TestMain) of a program that uses GuestForwards: QEMU starts the program again for each of the
// guest's connections, with the connection as standard input and output. It returns unless that is what the program was started for.
//
// QEMU could connect by itself (guestfwd=...-tcp:), but does so once, at start, for a single connection.
func RunRelay() {
	if len(os.Args) != 3 || os.Args[1] != relayWord {
		return
	}
	if err := relay(os.Args[2], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// relay copies both ways until the service has closed its side.
func relay(address string, in io.Reader, out io.Writer) error {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return fmt.Errorf("cannot relay to %q: %w", address, err)
	}
	defer conn.Close()
	go func() { // ends with the guest's side, at the latest with the process
		_, _ = io.Copy(conn, in)
		_ = conn.(*net.TCPConn).CloseWrite()
	}()
	if _, err := io.Copy(out, conn); err != nil {
		return fmt.Errorf("cannot relay from %q: %w", address, err)
	}
	return nil
}
