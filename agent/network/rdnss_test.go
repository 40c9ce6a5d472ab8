package network

import (
	"encoding/binary"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// rdnssOption is the option as it is on the wire.
func rdnssOption(lifetime uint32, servers ...string) []byte {
	b := []byte{optionRDNSS, byte(1 + 2*len(servers)), 0, 0}
	b = binary.BigEndian.AppendUint32(b, lifetime)
	for _, s := range servers {
		b = append(b, ip(s).AsSlice()...)
	}
	return b
}

func TestDecodeRDNSS(t *testing.T) {
	one := rdnssOption(600, "2001:db8::53")
	want := rdnss{[]netip.Addr{ip("2001:db8::53")}, 10 * time.Minute}
	mtu := []byte{5, 1, 0, 0, 0, 0, 5, 220}
	for name, c := range map[string]struct {
		wire []byte
		want []rdnss
	}{
		"one":             {one, []rdnss{want}},
		"after another":   {append(slices.Clone(mtu), one...), []rdnss{want}},
		"two servers":     {rdnssOption(0, "2001:db8::1", "fe80::1"), []rdnss{{[]netip.Addr{ip("2001:db8::1"), ip("fe80::1")}, 0}}},
		"no server":       {rdnssOption(600), nil},
		"torn":            {one[:20], nil},
		"length zero":     {[]byte{optionRDNSS, 0, 0, 0, 0, 0, 0, 0}, nil},
		"odd length":      {append([]byte{optionRDNSS, 4}, make([]byte, 30)...), nil},
		"nothing":         {nil, nil},
		"multicast as is": {rdnssOption(1, "ff02::1"), []rdnss{{nil, time.Second}}},
	} {
		if got := decodeRDNSS(c.wire); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestAdvertisedServersEnd(t *testing.T) {
	a := advertised(nil).with(rdnss{[]netip.Addr{ip("2001:db8::1")}, time.Minute}, "eth0", now)
	a = a.with(rdnss{[]netip.Addr{ip("fe80::1")}, time.Hour}, "eth0", now)
	servers, next := a.valid(now)
	if !slices.Equal(servers, []netip.Addr{ip("2001:db8::1"), ip("fe80::1%eth0")}) || next != now.Add(time.Minute) {
		t.Errorf("%v until %v", servers, next)
	}
	if servers, _ := a.valid(now.Add(time.Minute)); !slices.Equal(servers, []netip.Addr{ip("fe80::1%eth0")}) {
		t.Errorf("after a minute: %v", servers)
	}
	if servers, _ := a.with(rdnss{[]netip.Addr{ip("fe80::1")}, 0}, "eth0", now).valid(now.Add(time.Minute)); len(servers) != 0 {
		t.Errorf("after lifetime 0: %v", servers)
	}
	var many []netip.Addr
	for i := range byte(100) {
		many = append(many, netip.AddrFrom16([16]byte{0x20, 1, 15: i}))
	}
	if got := advertised(nil).with(rdnss{many, time.Hour}, "eth0", now); len(got) != maxAdvertised {
		t.Errorf("%d servers remembered", len(got))
	}
}

// userOption is the kernel's message around options.
func userOption(link uint32, options []byte) []byte {
	b := make([]byte, userOptionHead)
	b[0] = unix.AF_INET6
	binary.NativeEndian.PutUint16(b[userOptionLengthAt:], uint16(len(options)))
	binary.NativeEndian.PutUint32(b[userOptionLinkAt:], link)
	b[userOptionICMPTypeAt] = routerAdvertisement
	return append(b, options...)
}

func TestDecodeUserOption(t *testing.T) {
	good := userOption(7, rdnssOption(600, "2001:db8::53"))
	if e, ok := decodeUserOption(good); !ok || e.link != 7 || len(e.rdnss) != 1 {
		t.Errorf("%+v, %v", e, ok)
	}
	for _, n := range []int{0, 15, len(good) - 1} {
		if e, ok := decodeUserOption(good[:n]); ok {
			t.Errorf("%d bytes: %+v", n, e)
		}
	}
}

func TestResolvConf(t *testing.T) {
	servers := []netip.Addr{ip("192.0.2.1"), ip("fe80::1%eth0"), ip("192.0.2.3"), ip("192.0.2.4")}
	want := "# written by the agent; changes are lost\nnameserver 192.0.2.1\nnameserver fe80::1%eth0\nnameserver 192.0.2.3\nsearch a.example b.example\n"
	if got := string(resolvConf(servers, []string{"a.example", "b.example"})); got != want {
		t.Errorf("%q", got)
	}
}

func TestDomain(t *testing.T) {
	for in, want := range map[string]string{
		"example.com": "example.com", "example.com.": "example.com", "web-1\x00": "web-1", "_srv.example.com": "_srv.example.com",
		"": "", ".": "", "a..b": "", "a b": "", "a\nb": "", "é.example": "", strings.Repeat("a", 64): "",
	} {
		if got := domain(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
