package scan

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"io"
	"net"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

var (
	ours    = Ours{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")}
	machine = end{net.HardwareAddr{0x52, 0x54, 0, 0, 0, 1}, netip.MustParseAddr("192.0.2.2"), netip.MustParseAddr("2001:db8::2")}
)

// host is a machine as the protocols want it: it answers for its ports as a host without a packet filter does, and every so often it loses a question.
type host struct {
	t                  *testing.T
	conn               net.Conn
	tcp, udp, quietUDP []int
	silentTCP          int
	lose               int
	received           int
	resets             int
}

func (h *host) serve() {
	for {
		var length [4]byte
		if _, err := io.ReadFull(h.conn, length[:]); err != nil {
			return
		}
		frame := make([]byte, binary.BigEndian.Uint32(length[:]))
		if _, err := io.ReadFull(h.conn, frame); err != nil {
			return
		}
		if reply := machine.neighbour(frame); reply != nil {
			h.send(reply)
			continue
		}
		if h.received++; h.lose != 0 && h.received%h.lose == 0 {
			continue
		}
		h.answer(frame)
	}
}

func (h *host) send(frame []byte) {
	_, _ = h.conn.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(frame))), frame...))
}

func (h *host) answer(frame []byte) {
	from, to := ours.IPv4, machine.ip4
	if kindOf(frame) == etherIPv6 {
		from, to = ours.IPv6, machine.ip6
	}
	if kindOf(frame) == etherARP {
		return // for another host
	}
	protocol, content, ok := machine.payload(frame, from)
	if !ok {
		h.t.Errorf("a frame is no packet: %x", frame)
		return
	}
	theirs, port := binary.BigEndian.Uint16(content), binary.BigEndian.Uint16(content[2:])
	if checksum(pseudo(from, to, protocol, len(content)), content) != 0 {
		h.t.Errorf("wrong checksum: %x", content)
	}
	reply := func(protocol byte, content []byte) {
		kind, p := packet(to, from, protocol, content)
		h.send(ethernet(frame[6:12], machine.mac, kind, p))
	}
	switch {
	case protocol == protocolTCP && content[13] == flagRST:
		h.resets++
	case protocol == protocolTCP && int(port) != h.silentTCP:
		flags := byte(flagRST | flagACK)
		if slices.Contains(h.tcp, int(port)) {
			flags = flagSYN | flagACK
		}
		reply(protocolTCP, segment(to, from, port, theirs, 7, flags))
	case protocol == protocolUDP && slices.Contains(h.udp, int(port)):
		reply(protocolUDP, datagram(to, from, port, theirs))
	case protocol == protocolUDP && slices.Contains(h.quietUDP, int(port)):
	case protocol == protocolUDP && to.Is6():
		reply(protocolICMPv6, append([]byte{1, 4, 0, 0, 0, 0, 0, 0}, frame[14:]...))
	case protocol == protocolUDP:
		reply(protocolICMP, append([]byte{3, 3, 0, 0, 0, 0, 0, 0}, frame[14:]...))
	}
}

// attach connects a cable to a host.
func attach(t *testing.T, h *host) *Cable {
	t.Helper()
	listener, err := net.Listen("unix", filepath.Join(t.TempDir(), "cable"))
	if err != nil {
		t.Fatal(err)
	}
	if h.conn, err = net.Dial("unix", listener.Addr().String()); err != nil {
		t.Fatal(err)
	}
	h.t = t
	ended := make(chan struct{})
	go func() { h.serve(); close(ended) }()
	c, err := Attach(t.Context(), listener, ours)
	if err != nil {
		t.Fatal(err)
	}
	c.last = 1200
	t.Cleanup(func() { c.Close(); h.conn.Close(); <-ended })
	return c
}

func TestPorts(t *testing.T) {
	cases := []struct {
		name     string
		host     host
		protocol Protocol
		target   netip.Addr
		want     []int
	}{
		{"TCP", host{tcp: []int{1, 783, 1200}}, TCP, machine.ip4, []int{1, 783, 1200}},
		{"TCP, questions lost", host{tcp: []int{22}, lose: 500}, TCP, machine.ip4, []int{22}},
		{"TCP over IPv6", host{tcp: []int{80, 443}}, TCP, machine.ip6, []int{80, 443}},
		{"TCP, nothing", host{udp: []int{5}}, TCP, machine.ip4, nil},
		{"UDP", host{tcp: []int{80}, udp: []int{53}, lose: 500}, UDP, machine.ip4, []int{53}},
		{"UDP over IPv6", host{udp: []int{123}}, UDP, machine.ip6, []int{123}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := attach(t, &c.host).Ports(t.Context(), c.protocol, machine.ip4, c.target)
			if err != nil || !slices.Equal(got, c.want) {
				t.Errorf("got %v, %v, want %v", got, err, c.want)
			}
		})
	}
}

// Nobody is taken for closed who says nothing.
func TestSilence(t *testing.T) {
	t.Parallel()
	s := &scan{cable: attach(t, &host{quietUDP: []int{68}}), protocol: protocolUDP, mac: machine.mac, from: ours.IPv4, target: machine.ip4, pending: map[int]bool{68: true, 69: true}}
	if err := s.ask(t.Context(), []int{68, 69}, 50*time.Millisecond); err != nil || !s.pending[68] || s.pending[69] {
		t.Errorf("pending %v, %v", s.pending, err)
	}
	s = &scan{cable: attach(t, &host{silentTCP: 68, tcp: []int{69}}), protocol: protocolTCP, mac: machine.mac, from: ours.IPv4, target: machine.ip4, pending: map[int]bool{68: true, 69: true}}
	if err := s.ask(t.Context(), []int{68, 69}, 50*time.Millisecond); err != nil || !s.pending[68] || !slices.Equal(s.open, []int{69}) {
		t.Errorf("pending %v, open %v, %v", s.pending, s.open, err)
	}
}

func TestNoMachine(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := attach(t, &host{}).Ports(ctx, TCP, netip.MustParseAddr("192.0.2.9"), machine.ip4)
	if err == nil || !strings.Contains(err.Error(), "cannot find 192.0.2.9") {
		t.Errorf("got %v", err)
	}
}

// A packet of RFC 1071's kind whose checksum another implementation made (Wikipedia, "Internet checksum").
func TestChecksum(t *testing.T) {
	header, err := hex.DecodeString("45000073000040004011" + "0000" + "c0a80001c0a800c7")
	if err != nil {
		t.Fatal(err)
	}
	if got := checksum(header); got != 0xb861 {
		t.Errorf("%#x", got)
	}
}

// A datagram without a checksum is dropped (RFC 8200, 8.1), and its port would pass for open.
func TestEveryDatagramHasAChecksum(t *testing.T) {
	for port := 1; port <= lastPort; port++ {
		d := datagram(ours.IPv6, machine.ip6, ourPort, uint16(port))
		if sum := checksum(pseudo(ours.IPv6, machine.ip6, protocolUDP, len(d)), d); binary.BigEndian.Uint16(d[6:]) == 0 || sum != 0 {
			t.Fatalf("port %d: checksum %#x", port, d[6:8])
		}
	}
}

func FuzzFrame(f *testing.F) {
	kind, p := packet(machine.ip4, ours.IPv4, protocolTCP, segment(machine.ip4, ours.IPv4, 80, ourPort, 1, flagSYN|flagACK))
	f.Add(ethernet(machine.mac, machine.mac, kind, p))
	kind, p = packet(machine.ip6, ours.IPv6, protocolICMPv6, append([]byte{1, 4, 0, 0, 0, 0, 0, 0}, make([]byte, 48)...))
	f.Add(ethernet(machine.mac, machine.mac, kind, p))
	f.Fuzz(func(t *testing.T, frame []byte) {
		here := end{machine.mac, ours.IPv4, ours.IPv6}
		here.neighbour(frame)
		for _, from := range []netip.Addr{machine.ip4, machine.ip6} {
			protocol, content, ok := here.payload(frame, from)
			if !ok {
				continue
			}
			for _, asked := range []byte{protocolTCP, protocolUDP} {
				if a, ok := answerOf(asked, protocol, content, ourPort); ok && (a.port < 0 || a.port > lastPort) {
					t.Errorf("port %d", a.port)
				}
			}
		}
	})
}
