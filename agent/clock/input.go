package clock

import (
	"context"
	"time"

	"github.com/stele-os/stele/agent/state"
)

// input is what the clock learns from the machine's state.
type input struct {
	servers []string
	online  bool
	desired <-chan struct{}
	network <-chan struct{}
}

// watch reads whom to ask: the plan's servers, else those that DHCP told.
func watch(m *state.Machine) input {
	desired, _, a := m.Desired.Watch()
	network, _, b := m.Network.Watch()
	in := input{servers: desired.Time.Servers, online: network.Online, desired: a, network: b}
	if len(in.servers) == 0 {
		in.servers = network.NTPServers
	}
	return in
}

// idleReason says why nobody can be asked; "" where somebody can.
func (in input) idleReason() string {
	switch {
	case !in.online:
		return "the network is not up"
	case len(in.servers) == 0:
		return "no time servers: none in the configuration, none from DHCP"
	}
	return ""
}

// wait returns when the state changes, ctx ends, or due fires; it tells whether the latter happened.
func (in input) wait(ctx context.Context, due <-chan time.Time) bool {
	select {
	case <-ctx.Done():
	case <-in.desired:
	case <-in.network:
	case <-due:
		return true
	}
	return false
}
