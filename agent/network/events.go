package network

import (
	"context"
	"encoding/binary"
	"fmt"
	"syscall"
	"time"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// event says that the kernel's network changed. Which thing changed does not matter, since the loop observes everything; only
// neighbour discovery options come with it, because the kernel does not keep them.
type event struct {
	link  int
	rdnss []rdnss
}

// groups of rtnetlink(7) to listen to; each is below 32, as the bit mask of bind(2) demands.
var groups = []uint{
	unix.RTNLGRP_LINK, unix.RTNLGRP_IPV4_IFADDR, unix.RTNLGRP_IPV6_IFADDR, unix.RTNLGRP_IPV4_ROUTE, unix.RTNLGRP_IPV6_ROUTE,
	unix.RTNLGRP_IPV6_IFINFO, unix.RTNLGRP_ND_USEROPT,
}

// overflowPause lets the kernel's queue run empty before the next read.
const overflowPause = 50 * time.Millisecond

// subscribe returns a channel of events that is closed after ctx ended. Its goroutine ends with ctx.
func subscribe(ctx context.Context) (<-chan event, error) {
	s, err := nl.Subscribe(unix.NETLINK_ROUTE, groups...)
	if err != nil {
		return nil, fmt.Errorf("cannot listen to the kernel's network events: %w", err)
	}
	events := make(chan event, 64)
	context.AfterFunc(ctx, s.Close)
	go func() {
		defer close(events)
		for ctx.Err() == nil {
			// An error is an overflow (ENOBUFS): events were lost, which one more observation makes good.
			messages, _, err := s.Receive()
			if err != nil {
				time.Sleep(overflowPause)
			}
			for _, e := range decodeEvents(messages, err) {
				select {
				case events <- e:
				case <-ctx.Done():
					return
				}
			}
		}
	}()
	return events, nil
}

// decodeEvents makes at least one event of what was received.
func decodeEvents(messages []syscall.NetlinkMessage, err error) []event {
	out := []event{{}}
	if err != nil {
		return out
	}
	for _, m := range messages {
		if m.Header.Type == unix.RTM_NEWNDUSEROPT {
			if e, ok := decodeUserOption(m.Data); ok {
				out = append(out, e)
			}
		}
	}
	return out
}

// struct nduseroptmsg (include/uapi/linux/rtnetlink.h): family, padding, length of the options, link, ICMP type and code, padding;
// then the options as they were on the wire.
const (
	userOptionHead       = 16
	routerAdvertisement  = 134 // ICMPv6 type (RFC 4861, section 4.2)
	userOptionLengthAt   = 2
	userOptionLinkAt     = 4
	userOptionICMPTypeAt = 8
)

func decodeUserOption(b []byte) (event, bool) {
	if len(b) < userOptionHead || b[0] != unix.AF_INET6 || b[userOptionICMPTypeAt] != routerAdvertisement {
		return event{}, false
	}
	size := int(binary.NativeEndian.Uint16(b[userOptionLengthAt:]))
	if size > len(b)-userOptionHead {
		return event{}, false
	}
	options := decodeRDNSS(b[userOptionHead : userOptionHead+size])
	return event{link: int(int32(binary.NativeEndian.Uint32(b[userOptionLinkAt:]))), rdnss: options}, len(options) > 0
}
