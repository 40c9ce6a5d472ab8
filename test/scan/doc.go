// Package scan looks at a machine from outside: it is the other end of the machine's Ethernet cable (internal/vm, NIC.Cable), and asks every port there is, TCP and UDP,
// over IPv4 and IPv6, without a network stack, a privilege or a tool of the host's.
//
//	TCP  SYN to a port -> SYN and ACK: it is open; RST: it is not (RFC 9293, 3.10.7)
//	UDP  a datagram    -> ICMP "port unreachable": nobody listens (RFC 1122, 4.1.3.1; RFC 4443, 3.1); an answer, or none after all attempts: somebody does
//
// A host without a packet filter answers for every port, so a silent TCP port is an error: a scan that asked nobody has proven nothing. Linux bounds how many ICMP errors it sends
// (net.ipv4.icmp_ratelimit, net.ipv4.icmp_msgs_per_sec, net.ipv6.icmp.ratelimit): a machine under test is told not to.
//
//	frame.go   what goes over the cable, pure (RFC 826, 791, 8200, 9293, 768, 792, 4443, 4861)
//	cable.go   frames in and out, and answers to who asks for our addresses
//	scan.go    attempts
package scan
