package network

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv6"
	"github.com/insomniacslk/dhcp/dhcpv6/nclient6"
	"github.com/insomniacslk/dhcp/iana"
)

// dhcp6 speaks DHCPv6 (RFC 8415), when a router advertisement asks for it.
type dhcp6 struct{}

// Acquire is SOLICIT with rapid commit, or the four messages where the server does not know that; stateless, INFORMATION-REQUEST.
func (d dhcp6) Acquire(ctx context.Context, t target, first time.Duration) (Lease, error) {
	c, mac, err := d.open(t, first)
	if err != nil {
		return Lease{}, err
	}
	defer c.Close()
	var answer *dhcpv6.Message
	if t.stateless {
		answer, err = d.ask(ctx, c, mac, dhcpv6.MessageTypeInformationRequest, nil)
	} else {
		answer, err = c.RapidSolicit(ctx, dhcpv6.WithClientID(duid(mac)), dhcpv6.WithRequestedOptions(requested6...))
	}
	if err != nil {
		return Lease{}, failure6(t, err)
	}
	return decodeLease6(answer, t.stateless, time.Now())
}

// Renew asks the server that granted the lease (RFC 8415, section 18.2.4).
func (d dhcp6) Renew(ctx context.Context, t target, old Lease, first time.Duration) (Lease, error) {
	return d.extend(ctx, t, old, first, dhcpv6.MessageTypeRenew)
}

// Rebind asks any server (RFC 8415, section 18.2.5).
func (d dhcp6) Rebind(ctx context.Context, t target, old Lease, first time.Duration) (Lease, error) {
	return d.extend(ctx, t, old, first, dhcpv6.MessageTypeRebind)
}

func (d dhcp6) extend(ctx context.Context, t target, old Lease, first time.Duration, kind dhcpv6.MessageType) (Lease, error) {
	if t.stateless {
		return d.Acquire(ctx, t, first)
	}
	granted, ok := old.message.(*dhcpv6.Message)
	if !ok {
		return Lease{}, errors.New("cannot renew a lease without the server's answer")
	}
	c, mac, err := d.open(t, first)
	if err != nil {
		return Lease{}, err
	}
	defer c.Close()
	answer, err := d.ask(ctx, c, mac, kind, granted)
	if err != nil {
		return Lease{}, failure6(t, err)
	}
	return decodeLease6(answer, false, time.Now())
}

// ask sends one message and returns the REPLY. granted is the answer whose server and addresses are meant; nil for none.
func (dhcp6) ask(ctx context.Context, c *nclient6.Client, mac net.HardwareAddr, kind dhcpv6.MessageType, granted *dhcpv6.Message) (*dhcpv6.Message, error) {
	m, err := dhcpv6.NewMessage(dhcpv6.WithClientID(duid(mac)), dhcpv6.WithRequestedOptions(requested6...))
	if err != nil {
		return nil, err
	}
	m.MessageType = kind
	m.AddOption(dhcpv6.OptElapsedTime(0))
	if granted != nil {
		if id := granted.GetOneOption(dhcpv6.OptionServerID); id != nil && kind == dhcpv6.MessageTypeRenew {
			m.AddOption(id)
		}
		if ia := granted.Options.OneIANA(); ia != nil {
			m.AddOption(ia)
		}
	}
	return c.SendAndRead(ctx, c.RemoteAddr(), m, nclient6.IsMessageType(dhcpv6.MessageTypeReply))
}

func (dhcp6) open(t target, first time.Duration) (*nclient6.Client, net.HardwareAddr, error) {
	mac, err := net.ParseMAC(t.mac)
	if err != nil {
		return nil, nil, fmt.Errorf("cannot speak DHCPv6 on %q: %w", t.name, err)
	}
	c, err := nclient6.New(t.name, nclient6.WithTimeout(first), nclient6.WithRetry(retransmissions))
	if err != nil {
		return nil, nil, fmt.Errorf("cannot speak DHCPv6 on %q: %w", t.name, err)
	}
	return c, mac, nil
}

// requested options.
var requested6 = []dhcpv6.OptionCode{dhcpv6.OptionDNSRecursiveNameServer, dhcpv6.OptionDomainSearchList, dhcpv6.OptionNTPServer}

// duid is the client's identifier, of type DUID-LL (RFC 8415, section 11.4): the only one that is the same at each boot without
// being stored.
func duid(mac net.HardwareAddr) dhcpv6.DUID {
	return &dhcpv6.DUIDLL{HWType: iana.HWTypeEthernet, LinkLayerAddr: mac}
}

func failure6(t target, err error) error {
	if errors.Is(err, nclient6.ErrNoResponse) || errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("no DHCPv6 server answers on %q", t.name)
	}
	return fmt.Errorf("cannot get a DHCPv6 lease on %q: %w", t.name, err)
}
