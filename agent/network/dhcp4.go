package network

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"github.com/insomniacslk/dhcp/dhcpv4/nclient4"
	"github.com/mdlayher/packet"
	"golang.org/x/sys/unix"
)

// retransmissions of one message; the session's deadline usually ends an exchange before they do.
const retransmissions = 7

// requested options (RFC 2132, RFC 3397, RFC 3442).
var requested4 = []dhcpv4.OptionCode{
	dhcpv4.OptionSubnetMask, dhcpv4.OptionRouter, dhcpv4.OptionDomainNameServer, dhcpv4.OptionHostName, dhcpv4.OptionDomainName,
	dhcpv4.OptionInterfaceMTU, dhcpv4.OptionNTPServers, dhcpv4.OptionDNSDomainSearchList, dhcpv4.OptionClasslessStaticRoute,
}

// dhcp4 speaks DHCPv4. Its socket lives for one exchange only: it is a packet socket, which sees every frame of the link.
type dhcp4 struct{}

// Acquire is DISCOVER, OFFER, REQUEST, ACK.
func (d dhcp4) Acquire(ctx context.Context, t target, first time.Duration) (Lease, error) {
	c, err := d.open(t, first)
	if err != nil {
		return Lease{}, err
	}
	defer c.Close()
	lease, err := c.Request(ctx, modifiers4(t)...)
	if err != nil {
		return Lease{}, failure4(t, err)
	}
	return decodeLease4(lease.ACK, time.Now())
}

// Renew asks the server that granted the lease, from the leased address (RFC 2131, section 4.4.5, RENEWING).
func (d dhcp4) Renew(ctx context.Context, t target, old Lease, first time.Duration) (Lease, error) {
	c, err := d.open(t, first,
		nclient4.WithUnicast(&net.UDPAddr{IP: old.Address.Addr().AsSlice(), Port: nclient4.ClientPort}),
		nclient4.WithServerAddr(&net.UDPAddr{IP: old.Server.AsSlice(), Port: nclient4.ServerPort}))
	if err != nil {
		return Lease{}, err
	}
	defer c.Close()
	return d.extend(ctx, c, t, old)
}

// Rebind asks every server, by broadcast (RFC 2131, section 4.4.5, REBINDING).
func (d dhcp4) Rebind(ctx context.Context, t target, old Lease, first time.Duration) (Lease, error) {
	c, err := d.open(t, first)
	if err != nil {
		return Lease{}, err
	}
	defer c.Close()
	return d.extend(ctx, c, t, old)
}

// extend sends a REQUEST with the client's address and without server identifier (RFC 2131, table 5).
func (dhcp4) extend(ctx context.Context, c *nclient4.Client, t target, old Lease) (Lease, error) {
	ack, ok := old.message.(*dhcpv4.DHCPv4)
	if !ok {
		return Lease{}, errors.New("cannot renew a lease without the server's answer")
	}
	mods := append([]dhcpv4.Modifier{dhcpv4.WithoutOption(dhcpv4.OptionServerIdentifier)}, modifiers4(t)...)
	request, err := dhcpv4.NewRenewFromAck(ack, mods...)
	if err != nil {
		return Lease{}, fmt.Errorf("cannot write a DHCPv4 request: %w", err)
	}
	answer, err := c.SendAndRead(ctx, c.RemoteAddr(), request,
		nclient4.IsMessageType(dhcpv4.MessageTypeAck, dhcpv4.MessageTypeNak))
	if err != nil {
		return Lease{}, failure4(t, err)
	}
	if answer.MessageType() == dhcpv4.MessageTypeNak {
		return Lease{}, fmt.Errorf("DHCPv4 on %q: %w", t.name, errRefused)
	}
	return decodeLease4(answer, time.Now())
}

// open makes a client. The packet socket is made here, by the link's index, because the library would look the link up by its name
// first, in a dump of all links. A unicast option in more brings its own socket.
func (dhcp4) open(t target, first time.Duration, more ...nclient4.ClientOpt) (*nclient4.Client, error) {
	mac, err := net.ParseMAC(t.mac)
	if err != nil {
		return nil, fmt.Errorf("cannot speak DHCPv4 on %q: %w", t.name, err)
	}
	var conn net.PacketConn
	if len(more) == 0 {
		raw, err := packet.Listen(&net.Interface{Index: t.index, Name: t.name, HardwareAddr: mac}, packet.Datagram, unix.ETH_P_IP, nil)
		if err != nil {
			return nil, fmt.Errorf("cannot open a packet socket on %q: %w", t.name, err)
		}
		conn = nclient4.NewBroadcastUDPConn(raw, &net.UDPAddr{Port: nclient4.ClientPort})
	}
	options := append([]nclient4.ClientOpt{nclient4.WithTimeout(first), nclient4.WithRetry(retransmissions)}, more...)
	c, err := nclient4.NewWithConn(conn, mac, options...)
	if err != nil {
		return nil, fmt.Errorf("cannot speak DHCPv4 on %q: %w", t.name, err)
	}
	return c, nil
}

func modifiers4(t target) []dhcpv4.Modifier {
	mods := []dhcpv4.Modifier{dhcpv4.WithRequestedOptions(requested4...)}
	if t.hostname != "" {
		mods = append(mods, dhcpv4.WithOption(dhcpv4.OptHostName(t.hostname)))
	}
	return mods
}

// failure4 puts the library's errors into our words.
func failure4(t target, err error) error {
	var nak *nclient4.ErrNak
	switch {
	case errors.As(err, &nak):
		return fmt.Errorf("DHCPv4 on %q: %w", t.name, errRefused)
	case errors.Is(err, nclient4.ErrNoResponse), errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("no DHCPv4 server answers on %q", t.name)
	}
	return fmt.Errorf("cannot get a DHCPv4 lease on %q: %w", t.name, err)
}
