package server

import (
	"errors"
	"net/netip"

	"github.com/stele-os/stele/agent/state"
)

// publish is publishWith for whoever changed the certificate.
func (s *server) publish() {
	now, _ := s.machine.API.Get()
	var err error
	if now.Error != "" {
		err = errors.New(now.Error)
	}
	s.publishWith(now.Port, err)
}

func (s *server) publishWith(port int, err error) {
	status, statusErr := s.identity.Status()
	if err == nil {
		err = statusErr
	}
	next := state.API{Port: port, Fingerprint: status.Fingerprint, SelfSigned: status.SelfSigned, NotAfter: status.NotAfter}
	if err != nil {
		next.Error, next.Port = err.Error(), 0
	}
	if old, ok := s.machine.API.Get(); !ok || old != next {
		s.machine.API.Set(next)
	}
}

// addresses are those by which others may reach the machine.
func addresses(n state.Network) []netip.Addr {
	var list []netip.Addr
	for _, l := range n.Links {
		for _, p := range l.Addresses {
			if a := p.Addr(); a.IsGlobalUnicast() {
				list = append(list, a)
			}
		}
	}
	return list
}
