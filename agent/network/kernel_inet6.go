package network

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// Bits of IFLA_INET6_FLAGS that tell what the last router advertisement said (include/net/if_inet6.h).
const (
	ifRAOtherConf = 0x80
	ifRAManaged   = 0x40
)

// observeAdvertisements reads the M and O flags: IFLA_PROTINFO of a link dump of family AF_INET6 (net/ipv6/addrconf.c,
// inet6_fill_ifinfo).
func (k *netlinkKernel) observeAdvertisements(o *observed) error {
	req := nl.NewNetlinkRequest(unix.RTM_GETLINK, unix.NLM_F_DUMP)
	req.AddData(nl.NewIfInfomsg(unix.AF_INET6))
	answers, err := req.Execute(unix.NETLINK_ROUTE, unix.RTM_NEWLINK)
	if errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.EAFNOSUPPORT) {
		return nil // a kernel without IPv6
	}
	if err != nil {
		return fmt.Errorf("cannot list the links' IPv6 state: %w", err)
	}
	for _, m := range answers {
		if len(m) < unix.SizeofIfInfomsg {
			continue
		}
		l := o.byIndex(int(nl.DeserializeIfInfomsg(m).Index))
		if l == nil {
			continue
		}
		flags := inet6Flags(m[unix.SizeofIfInfomsg:])
		l.managedFlag, l.otherFlag = flags&ifRAManaged != 0, flags&ifRAOtherConf != 0
	}
	return nil
}

// inet6Flags finds IFLA_INET6_FLAGS within IFLA_PROTINFO.
func inet6Flags(b []byte) uint32 {
	for _, outer := range attributes(b) {
		if outer.Attr.Type&^unix.NLA_F_NESTED != unix.IFLA_PROTINFO {
			continue
		}
		for _, inner := range attributes(outer.Value) {
			if inner.Attr.Type == unix.IFLA_INET6_FLAGS && len(inner.Value) >= 4 {
				return nl.NativeEndian().Uint32(inner.Value)
			}
		}
	}
	return 0
}

// sysctls reads the switches of a link's IPv6; none where the kernel has none.
func (k *netlinkKernel) sysctls(name string) map[string]string {
	out := map[string]string{}
	for _, key := range []string{"disable_ipv6", "accept_ra", "autoconf"} {
		if b, err := os.ReadFile(k.sysctlPath(name, key)); err == nil {
			out[key] = strings.TrimSpace(string(b))
		}
	}
	return out
}

func (k *netlinkKernel) sysctlPath(name, key string) string {
	return filepath.Join(k.procSys, "net/ipv6/conf", name, key)
}
