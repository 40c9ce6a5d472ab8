package server

import (
	"context"
	"encoding/pem"

	"connectrpc.com/connect"

	nodev1 "github.com/stele-os/stele/api/node/v1"
)

// identityService implements nodev1.IdentityServiceHandler.
type identityService struct{ *server }

func (s identityService) Get(context.Context, *connect.Request[nodev1.GetIdentityRequest]) (*connect.Response[nodev1.GetIdentityResponse], error) {
	status, err := s.identity.Status()
	if err != nil {
		return nil, err
	}
	var chain []byte
	for _, der := range status.Certificates {
		chain = append(chain, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	return connect.NewResponse(&nodev1.GetIdentityResponse{Certificates: string(chain), Fingerprint: status.Fingerprint}), nil
}

func (s identityService) CreateRequest(context.Context, *connect.Request[nodev1.CreateIdentityRequestRequest]) (*connect.Response[nodev1.CreateIdentityRequestResponse], error) {
	request, err := s.identity.Request()
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&nodev1.CreateIdentityRequestResponse{Request: string(request)}), nil
}

// Install takes effect with the next connection.
func (s identityService) Install(_ context.Context, r *connect.Request[nodev1.InstallIdentityRequest]) (*connect.Response[nodev1.InstallIdentityResponse], error) {
	notAfter, err := s.identity.Install([]byte(r.Msg.GetCertificates()), get(&s.machine.Clock).Synchronised)
	if err != nil {
		return nil, err
	}
	s.publish()
	return connect.NewResponse(&nodev1.InstallIdentityResponse{NotAfter: moments(notAfter)}), nil
}
