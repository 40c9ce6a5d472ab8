// Package server is the agent API's server: who may call, what for, and how much; what is called lives elsewhere (node.go).
//
//	accept ─> gate: how many ─> front: TLS 1.3, client certificate ─> net/http ─> call: certificate still good? role? room?
//	  ─> Connect: decode ─> interceptor: record of what is about to change ─> handler ─> Updates, Configuration, Containers, Power
//	  ─> record of what came of it
//
// Run is the manager: it opens the port as the desired state says, and has the machine's key and certificate (identity).
//
// Invariants:
//   - Without a certificate of the document's CAs nothing is answered but the end of the handshake; with one, nothing without a role; and a
//     method that the table of rules lacks cannot be called (TestRoles, TestEveryMethodHasARule).
//   - A certificate counts at each call: it may be over, and its CA gone from the document, while its connection lasts. Streams end then
//     (TestGoneAuthorityEndsItsClients, TestCertificateEndsDuringConnection).
//   - A call that changes something is in the audit log, on the disk, before it acts; where /var takes no more, the call goes on all the same,
//     and the agent's log has it: whoever is to repair a full /var has no other way in (TestAudit, TestFullVar).
//   - What clients make PID 1 hold has a bound, whoever they are (Limits, TestFloods, TestManyStreams, TestSlowBody, TestNothingIsLeft). Strangers get
//     32 handshakes; the worst that 64 connections of certified clients can do is 256 KiB of unread requests each.
//
// What does not hold: time. While the machine's clock is wrong (no network time yet, and a dead battery: it then stands at the image's build
// time), client certificates younger than that are "not valid yet", and ones that are over may pass.
//
// grpc-go was measured beside Connect: it is larger, and serves no JSON. A Unix socket for local use was considered: there is nobody on the
// machine to use it.
package server

import (
	"context"
	"time"

	"github.com/stele-os/stele/agent/update/repository"
)

// Updates is what the API asks of the update manager (agent/update.Manager). Errors carry a fault.Kind.
type Updates interface {
	// Check asks the document's repository.
	Check(ctx context.Context) (CheckResult, error)
	// Stage begins, or joins, staging of a version (empty: the newest) and returns when it has ended, or with ctx.Err() when the caller leaves;
	// the staging then goes on. Progress is in state.Update.
	Stage(ctx context.Context, caller, version string) error
	// Push stages from src, and ends with ctx.
	Push(ctx context.Context, caller, version string, src repository.Source) error
	// Cancel ends a staging and waits until it has ended.
	Cancel(ctx context.Context) error
	// Apply arms the staged version and asks for a restart.
	Apply(ctx context.Context, caller string, r ApplyRequest) error
	// Commit is the word that a version on probation may wait for.
	Commit(ctx context.Context, caller, version string) error
	// Rollback makes the loader start the other slot and asks for a restart.
	Rollback(ctx context.Context, caller string, r RollbackRequest) (toVersion string, err error)
}

// CheckResult is what a repository holds for this machine.
type CheckResult struct {
	Running   string
	Available string // empty: nothing newer
	Reason    string // why what is there is not taken
	Bytes     int64  // of the bundle
	Versions  []string
}

// ApplyRequest of Updates.Apply.
type ApplyRequest struct {
	Version             string // refuse unless this one is staged; empty: whichever
	Reason              string
	RequireConfirmation bool
}

// RollbackRequest of Updates.Rollback.
type RollbackRequest struct {
	Reason              string
	AcceptLowerSecurity bool // also a version below the machine's security floor
}

// Configuration is what the API asks of the configuration manager (agent/config). Errors carry a fault.Kind.
type Configuration interface {
	// Get returns the document in force as it came (user layer) and merged, secrets (environment values) masked unless secrets.
	Get(secrets bool) (DocumentView, error)
	// Check returns the problems of a document, and what it would change, in words.
	Check(document []byte) (problems, changes []string)
	// Apply puts a document in force, from now on and at the next boots of this slot. With tryFor it is taken back by itself.
	Apply(ctx context.Context, caller string, r DocumentRequest) (DocumentResult, error)
	// Confirm ends a trial: the document stays.
	Confirm(ctx context.Context, caller, digest string) error
	// Revert ends a trial: the document before it is back.
	Revert(ctx context.Context, caller string, r RevertRequest) (digest string, err error)
}

// DocumentView is a document in force. Both texts are YAML.
type DocumentView struct{ Document, Effective, Source, Digest string }

// DocumentRequest of Configuration.Apply.
type DocumentRequest struct {
	Document []byte
	DryRun   bool
	TryFor   time.Duration
	IfDigest string
	// MayChangeCAs: the caller may change spec.api (admin).
	MayChangeCAs bool
}

// RevertRequest of Configuration.Revert.
type RevertRequest struct {
	// ToMetadata drops every document of the API.
	ToMetadata bool
	// MayChangeCAs as in DocumentRequest: the document before may have another spec.api.
	MayChangeCAs bool
}

// DocumentResult of Configuration.Apply.
type DocumentResult struct {
	Digest   string
	Changes  []string
	RevertAt time.Time
}

// Containers is what the API asks of the containers manager.
type Containers interface {
	// Restart ends a container and starts it again, with its grace period. It returns when the new one has been asked for.
	Restart(ctx context.Context, name string) error
}

// Power is what the API asks of PID 1.
type Power interface {
	// Shutdown asks for the way down; it returns at once.
	Shutdown(powerOff bool, caller, reason string) error
	// Reset marks /var for being made anew at the next boot, and asks for a restart.
	Reset(ctx context.Context, caller string) error
}
