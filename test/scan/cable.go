package scan

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"
)

// maxFrameBytes is more than any frame of a machine with an MTU of 1500.
const maxFrameBytes = 1 << 16

// Cable is the end of a machine's Ethernet cable.
type Cable struct {
	end
	conn   net.Conn
	frames chan []byte
	last   int // the last port that is asked

	write sync.Mutex
}

// Ours are the addresses at this end. The machine's are to be in the same networks.
type Ours struct {
	IPv4, IPv6 netip.Addr
}

// Attach takes one machine's connection on a listener. Close ends it.
func Attach(ctx context.Context, listener net.Listener, ours Ours) (*Cable, error) {
	defer context.AfterFunc(ctx, func() { listener.Close() })()
	conn, err := listener.Accept()
	if err != nil {
		return nil, fmt.Errorf("cannot attach the cable: %w", errors.Join(err, context.Cause(ctx)))
	}
	c := &Cable{
		// A locally administered address (IEEE 802, 8.2).
		end:  end{net.HardwareAddr{0x52, 0x54, 0, 0xff, 0xff, 1}, ours.IPv4, ours.IPv6},
		conn: conn, frames: make(chan []byte, 1024), last: lastPort,
	}
	go c.read()
	return c, nil
}

// Close takes the cable out.
func (c *Cable) Close() { c.conn.Close() }

// read ends when the cable is out, or the machine has ended.
func (c *Cable) read() {
	defer close(c.frames)
	for {
		var length [4]byte
		if _, err := io.ReadFull(c.conn, length[:]); err != nil {
			return
		}
		n := binary.BigEndian.Uint32(length[:])
		if n < 14 || n > maxFrameBytes {
			return
		}
		frame := make([]byte, n)
		if _, err := io.ReadFull(c.conn, frame); err != nil {
			return
		}
		if reply := c.neighbour(frame); reply != nil {
			if c.send(reply) != nil {
				return
			}
			continue
		}
		select {
		case c.frames <- frame:
		default: // nobody asks at the moment
		}
	}
}

func (c *Cable) send(frame []byte) error {
	c.write.Lock()
	defer c.write.Unlock()
	_, err := c.conn.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(frame))), frame...))
	return err
}

// find asks for the machine's hardware address until it answers: by ARP, whatever is scanned then.
func (c *Cable) find(ctx context.Context, machine netip.Addr) (net.HardwareAddr, error) {
	broadcast := net.HardwareAddr{255, 255, 255, 255, 255, 255}
	request := append([]byte{0, 1, 8, 0, 6, 4, 0, 1}, c.mac...)
	request = append(append(append(request, c.ip4.AsSlice()...), make([]byte, 6)...), machine.AsSlice()...)
	for {
		if err := c.send(ethernet(broadcast, c.mac, etherARP, request)); err != nil {
			return nil, err
		}
		again := time.After(200 * time.Millisecond)
		for waiting := true; waiting; {
			select {
			case frame, open := <-c.frames:
				if !open {
					return nil, errOut
				}
				if len(frame) >= 42 && kindOf(frame) == etherARP && binary.BigEndian.Uint16(frame[20:]) == 2 && address(frame[28:32]) == machine {
					return frame[22:28], nil
				}
			case <-again:
				waiting = false
			case <-ctx.Done():
				return nil, fmt.Errorf("cannot find %s: %w", machine, context.Cause(ctx))
			}
		}
	}
}

var errOut = errors.New("the machine has taken the cable out")
