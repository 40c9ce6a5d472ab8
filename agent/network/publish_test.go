package network

import (
	"testing"

	"github.com/stele-os/stele/agent/plan"
)

func TestBearable(t *testing.T) {
	bare := ethernet(3, "eth1", "52:54:00:12:34:57")
	addressed := bare
	addressed.addresses = []address{{prefix: pfx("2001:db8::5/64"), foreign: true}}
	local := bare
	local.addresses = []address{{prefix: pfx("fe80::5/64"), foreign: true}}
	unnamed := plan.Network{Default: auto}
	named := plan.Network{Default: auto, Links: []plan.Link{{Name: "eth1", DHCP4: true}}}
	for _, tt := range []struct {
		name   string
		link   *link
		plan   plan.Network
		online bool
		want   bool
	}{
		{"a second card", &bare, unnamed, true, true},
		{"the only card", &bare, unnamed, false, false},
		{"a card that the document names", &bare, named, true, false},
		{"a link-local address is none", &local, named, true, false},
		{"a network of IPv6 alone", &addressed, named, true, true},
		{"the link is gone", nil, unnamed, true, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := bearable(tt.link, tt.plan, tt.online); got != tt.want {
				t.Errorf("bearable: %v", got)
			}
		})
	}
}
