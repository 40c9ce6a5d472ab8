package scan

import (
	"encoding/binary"
	"net"
	"net/netip"
)

// EtherTypes and protocol numbers (IANA).
const (
	etherIPv4 = 0x0800
	etherARP  = 0x0806
	etherIPv6 = 0x86dd

	protocolICMP   = 1
	protocolTCP    = 6
	protocolUDP    = 17
	protocolICMPv6 = 58
)

// TCP flags (RFC 9293, 3.1).
const (
	flagSYN = 0x02
	flagRST = 0x04
	flagACK = 0x10
)

// end is one end of the cable.
type end struct {
	mac net.HardwareAddr
	ip4 netip.Addr
	ip6 netip.Addr
}

// ethernet puts a header before a payload (IEEE 802.3, EtherType form).
func ethernet(to, from net.HardwareAddr, kind uint16, payload []byte) []byte {
	frame := append(append(make([]byte, 0, 14+len(payload)), to...), from...)
	return append(binary.BigEndian.AppendUint16(frame, kind), payload...)
}

// packet puts an IP header before a payload: IPv4 without options (RFC 791, 3.1) or IPv6 (RFC 8200, 3), by the kind of the addresses.
func packet(from, to netip.Addr, protocol byte, payload []byte) (kind uint16, content []byte) {
	const hops = 255 // what neighbour discovery asks for (RFC 4861, 7.1.1)
	if to.Is6() {
		header := binary.BigEndian.AppendUint32(nil, 6<<28)
		header = binary.BigEndian.AppendUint16(header, uint16(len(payload)))
		header = append(header, protocol, hops)
		header = append(append(header, from.AsSlice()...), to.AsSlice()...)
		return etherIPv6, append(header, payload...)
	}
	header := make([]byte, 20)
	header[0] = 4<<4 | 5
	binary.BigEndian.PutUint16(header[2:], uint16(len(header)+len(payload)))
	header[8], header[9] = hops, protocol
	copy(header[12:], from.AsSlice())
	copy(header[16:], to.AsSlice())
	binary.BigEndian.PutUint16(header[10:], checksum(header))
	return etherIPv4, append(header, payload...)
}

// segment is a TCP header without options and data.
func segment(from, to netip.Addr, fromPort, toPort uint16, sequence uint32, flags byte) []byte {
	s := make([]byte, 20)
	binary.BigEndian.PutUint16(s[0:], fromPort)
	binary.BigEndian.PutUint16(s[2:], toPort)
	binary.BigEndian.PutUint32(s[4:], sequence)
	s[12], s[13] = 5<<4, flags
	binary.BigEndian.PutUint16(s[14:], 1024)
	binary.BigEndian.PutUint16(s[16:], checksum(pseudo(from, to, protocolTCP, len(s)), s))
	return s
}

// datagram is a UDP header with one byte of data.
func datagram(from, to netip.Addr, fromPort, toPort uint16) []byte {
	d := make([]byte, 9)
	binary.BigEndian.PutUint16(d[0:], fromPort)
	binary.BigEndian.PutUint16(d[2:], toPort)
	binary.BigEndian.PutUint16(d[4:], uint16(len(d)))
	sum := checksum(pseudo(from, to, protocolUDP, len(d)), d)
	if sum == 0 { // which would mean that there is none (RFC 768)
		sum = 0xffff
	}
	binary.BigEndian.PutUint16(d[6:], sum)
	return d
}

// pseudo is the header that only checksums see (RFC 9293, 3.1; RFC 8200, 8.1): the sums of both forms are the same.
func pseudo(from, to netip.Addr, protocol byte, length int) []byte {
	p := append(from.AsSlice(), to.AsSlice()...)
	p = binary.BigEndian.AppendUint32(p, uint32(length))
	return append(p, 0, 0, 0, protocol)
}

// checksum of the internet (RFC 1071) over parts of which all but the last have an even length.
func checksum(parts ...[]byte) uint16 {
	var sum uint32
	for _, part := range parts {
		for i := 0; i+1 < len(part); i += 2 {
			sum += uint32(binary.BigEndian.Uint16(part[i:]))
		}
		if len(part)%2 == 1 {
			sum += uint32(part[len(part)-1]) << 8
		}
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}

// neighbour answers who asks where an address of ours is: ARP (RFC 826) and neighbour solicitations (RFC 4861, 4.3 and 4.4). nil: the frame asks nothing of us.
func (e end) neighbour(frame []byte) []byte {
	switch {
	case len(frame) >= 42 && kindOf(frame) == etherARP && binary.BigEndian.Uint16(frame[20:]) == 1 && address(frame[38:42]) == e.ip4:
		reply := append([]byte{0, 1, 8, 0, 6, 4, 0, 2}, e.mac...)
		reply = append(append(append(reply, e.ip4.AsSlice()...), frame[22:28]...), frame[28:32]...)
		return ethernet(frame[6:12], e.mac, etherARP, reply)
	case len(frame) >= 78 && kindOf(frame) == etherIPv6 && frame[20] == protocolICMPv6 && frame[54] == 135 && address(frame[62:78]) == e.ip6:
		to := address(frame[22:38])
		if to.IsUnspecified() {
			return nil // it looks whether the address is taken: it is not its own
		}
		advertisement := append([]byte{136, 0, 0, 0, 0x60, 0, 0, 0}, e.ip6.AsSlice()...) // solicited, override
		advertisement = append(advertisement, append([]byte{2, 1}, e.mac...)...)
		binary.BigEndian.PutUint16(advertisement[2:], checksum(pseudo(e.ip6, to, protocolICMPv6, len(advertisement)), advertisement))
		kind, content := packet(e.ip6, to, protocolICMPv6, advertisement)
		return ethernet(frame[6:12], e.mac, kind, content)
	}
	return nil
}

func kindOf(frame []byte) uint16 { return binary.BigEndian.Uint16(frame[12:]) }

func address(b []byte) netip.Addr {
	a, _ := netip.AddrFromSlice(b)
	return a
}

// payload is what an IP packet to us from a machine carries; ok is false for anything else.
func (e end) payload(frame []byte, from netip.Addr) (protocol byte, content []byte, ok bool) {
	if len(frame) < 14 {
		return 0, nil, false
	}
	p := frame[14:]
	switch kind := kindOf(frame); {
	case kind == etherIPv4 && len(p) >= 20:
		length, total := int(p[0]&15)*4, int(binary.BigEndian.Uint16(p[2:]))
		if address(p[12:16]) != from || address(p[16:20]) != e.ip4 || length < 20 || total < length || total > len(p) {
			return 0, nil, false
		}
		return p[9], p[length:total], true
	case kind == etherIPv6 && len(p) >= 40:
		total := 40 + int(binary.BigEndian.Uint16(p[4:]))
		if address(p[8:24]) != from || address(p[24:40]) != e.ip6 || total > len(p) {
			return 0, nil, false
		}
		return p[6], p[40:total], true
	}
	return 0, nil, false
}
