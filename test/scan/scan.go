package scan

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"time"
)

// Protocol to scan.
type Protocol byte

// The protocols that have ports.
const (
	TCP Protocol = protocolTCP
	UDP Protocol = protocolUDP
)

const (
	// ports there are, from 1 on.
	lastPort = 65535
	// ourPort is where questions come from.
	ourPort = 40000
	// batchSize is how many questions are open at a time: a machine's receive ring has room for 256 frames.
	batchSize = 128
	// attempts for each port. The wait for answers begins with firstPatience and doubles.
	attempts      = 8
	firstPatience = 100 * time.Millisecond
)

// Ports asks all of them at an address of the machine, and returns those where somebody listens, sorted. machine is its IPv4 address, by which it is found; target may be it, or
// an IPv6 address.
func (c *Cable) Ports(ctx context.Context, protocol Protocol, machine, target netip.Addr) ([]int, error) {
	mac, err := c.find(ctx, machine)
	if err != nil {
		return nil, err
	}
	s := &scan{cable: c, protocol: byte(protocol), mac: mac, target: target, from: c.ip4, pending: map[int]bool{}}
	if target.Is6() {
		s.from = c.ip6
	}
	for port := 1; port <= c.last; port++ {
		s.pending[port] = true
	}
	for patience := firstPatience; patience < firstPatience<<attempts && len(s.pending) > 0; patience *= 2 {
		for batch := range slices.Chunk(sorted(s.pending), batchSize) {
			if err := s.ask(ctx, batch, patience); err != nil {
				return nil, err
			}
		}
	}
	silent := sorted(s.pending)
	if protocol == UDP {
		s.open = append(s.open, silent...)
	} else if len(silent) > 0 {
		return nil, fmt.Errorf("%s does not answer at %d TCP ports, %d among them", target, len(silent), silent[0])
	}
	slices.Sort(s.open)
	return s.open, nil
}

// scan is one under way.
type scan struct {
	cable        *Cable
	protocol     byte
	mac          net.HardwareAddr
	from, target netip.Addr
	pending      map[int]bool
	open         []int
}

// ask asks some ports, and returns when all have answered, or none has for a time.
func (s *scan) ask(ctx context.Context, batch []int, patience time.Duration) error {
	for _, port := range batch {
		if err := s.send(s.question(uint16(port))); err != nil {
			return err
		}
	}
	waiting := len(batch)
	quiet := time.NewTimer(patience)
	defer quiet.Stop()
	for waiting > 0 {
		select {
		case frame, attached := <-s.cable.frames:
			if !attached {
				return errOut
			}
			if answered, err := s.take(frame); err != nil {
				return err
			} else if answered {
				waiting--
				quiet.Reset(patience)
			}
		case <-quiet.C:
			return nil
		case <-ctx.Done():
			return fmt.Errorf("cannot scan %s: %w", s.target, context.Cause(ctx))
		}
	}
	return nil
}

func (s *scan) question(port uint16) []byte {
	if s.protocol == protocolTCP {
		return segment(s.from, s.target, ourPort, port, 1, flagSYN)
	}
	return datagram(s.from, s.target, ourPort, port)
}

func (s *scan) send(content []byte) error {
	kind, p := packet(s.from, s.target, s.protocol, content)
	return s.cable.send(ethernet(s.mac, s.cable.mac, kind, p))
}

// take notes an answer, and tells whether the frame was one that nobody had given yet. An open TCP port is closed again.
func (s *scan) take(frame []byte) (bool, error) {
	protocol, content, ok := s.cable.payload(frame, s.target)
	if !ok {
		return false, nil
	}
	a, ok := answerOf(s.protocol, protocol, content, ourPort)
	if !ok || !s.pending[a.port] {
		return false, nil
	}
	delete(s.pending, a.port)
	if !a.open {
		return true, nil
	}
	s.open = append(s.open, a.port)
	if s.protocol == protocolTCP {
		return true, s.send(segment(s.from, s.target, ourPort, uint16(a.port), a.acknowledged, flagRST))
	}
	return true, nil
}

func sorted(set map[int]bool) []int {
	list := make([]int, 0, len(set))
	for port := range set {
		list = append(list, port)
	}
	slices.Sort(list)
	return list
}
