package server

import (
	"crypto/x509"

	"google.golang.org/protobuf/proto"

	nodev1 "github.com/stele-os/stele/api/node/v1"
)

// role is what a client may do; each includes the one before it.
type role int

const (
	noRole role = iota
	reader
	operator
	admin
)

// organizations in a client certificate's subject, by which a CA gives a role.
var organizations = map[string]role{"stele:reader": reader, "stele:operator": operator, "stele:admin": admin}

func (r role) String() string {
	return [...]string{"none", "reader", "operator", "admin"}[r]
}

// roleOf is the highest of the roles in a certificate's subject.
func roleOf(c *x509.Certificate) role {
	highest := noRole
	for _, o := range c.Subject.Organization {
		highest = max(highest, organizations[o])
	}
	return highest
}

const (
	// smallBytes is what a request may have that holds names and numbers only.
	smallBytes = 16 << 10
	// documentBytes is a document of metadata.MaxDocumentBytes with JSON's escapes and the fields around it.
	documentBytes = 1 << 20
	chainBytes    = 128 << 10
	// pushBytes is one message of a push: pushDataBytes, in base64 with fields around it where it comes as JSON.
	pushBytes = 384 << 10
)

// rule is what a procedure asks of its caller. A procedure without one cannot be called.
type rule struct {
	role     role
	changes  bool // the call is on the audit log's disk before it acts
	stream   bool // it lasts
	maxBytes int  // of one message from the client
	// more is asked for some requests.
	more func(proto.Message) role
}

// rules is the whole of who may call what (TestEveryMethodHasARule, TestRoles).
var rules = map[string]rule{
	nodev1.MachineServiceStatusProcedure:      {role: reader, maxBytes: smallBytes},
	nodev1.MachineServiceWatchEventsProcedure: {role: reader, maxBytes: smallBytes, stream: true},

	nodev1.LogServiceReadProcedure: {role: reader, maxBytes: smallBytes, stream: true, more: roleForLog},

	nodev1.ConfigServiceGetProcedure:     {role: reader, maxBytes: smallBytes},
	nodev1.ConfigServiceCheckProcedure:   {role: reader, maxBytes: documentBytes},
	nodev1.ConfigServiceApplyProcedure:   {role: operator, maxBytes: documentBytes, changes: true},
	nodev1.ConfigServiceConfirmProcedure: {role: operator, maxBytes: smallBytes, changes: true},
	nodev1.ConfigServiceRevertProcedure:  {role: operator, maxBytes: smallBytes, changes: true},

	nodev1.ContainerServiceListProcedure:    {role: reader, maxBytes: smallBytes},
	nodev1.ContainerServiceRestartProcedure: {role: operator, maxBytes: smallBytes, changes: true},

	nodev1.UpdateServiceCheckProcedure:    {role: reader, maxBytes: smallBytes},
	nodev1.UpdateServiceStageProcedure:    {role: operator, maxBytes: smallBytes, changes: true, stream: true},
	nodev1.UpdateServicePushProcedure:     {role: operator, maxBytes: pushBytes, changes: true, stream: true},
	nodev1.UpdateServiceCancelProcedure:   {role: operator, maxBytes: smallBytes, changes: true},
	nodev1.UpdateServiceApplyProcedure:    {role: operator, maxBytes: smallBytes, changes: true},
	nodev1.UpdateServiceCommitProcedure:   {role: operator, maxBytes: smallBytes, changes: true},
	nodev1.UpdateServiceRollbackProcedure: {role: operator, maxBytes: smallBytes, changes: true},

	nodev1.PowerServiceRebootProcedure:   {role: operator, maxBytes: smallBytes, changes: true},
	nodev1.PowerServicePowerOffProcedure: {role: operator, maxBytes: smallBytes, changes: true},

	nodev1.ResetServiceResetProcedure: {role: admin, maxBytes: smallBytes, changes: true},

	nodev1.IdentityServiceGetProcedure:           {role: reader, maxBytes: smallBytes},
	nodev1.IdentityServiceCreateRequestProcedure: {role: admin, maxBytes: smallBytes},
	nodev1.IdentityServiceInstallProcedure:       {role: admin, maxBytes: chainBytes, changes: true},
}

// roleForLog: containers may print secrets, and the audit log says who did what.
func roleForLog(m proto.Message) role {
	switch m.(*nodev1.LogReadRequest).GetSource() {
	case nodev1.LogReadRequest_SOURCE_AUDIT:
		return admin
	case nodev1.LogReadRequest_SOURCE_CONTAINER:
		return operator
	}
	return reader
}
