// Package metadata fetches a machine's configuration from where the platform keeps it.
//
// A platform is one small file: how it is recognised, and one fetch. Nothing here decodes the document or decides anything about it;
// what comes back is bytes with their origin. A further cloud is one more file plus a row in the conformance test. Retries, time
// limits and the last good document belong to agent/config.
//
//	SMBIOS facts, stele.platform= --Detect--> kinds of sources, in order --Fetch--> Result, or what was tried
//
// Invariants (each held by TestConformance for every source, unless another test is named):
//   - The document arrives byte for byte, or not at all: one that is larger than MaxDocumentBytes is refused, never cut.
//   - ErrNotFound means that the source does not exist; a source that exists and fails is an error, and no other source is asked.
//   - A volume is mounted read-only, nodev, nosuid and noexec, only after its label was read, and unmounted whatever happens. The boot
//     disk is never searched (TestNothingFound).
//   - HTTP goes to the named host only: no proxy, no redirect elsewhere (TestRedirects), no IMDSv1.
//
// Sources: QEMU fw_cfg, NoCloud (volume, or URL in the SMBIOS serial number), EC2 IMDSv2, a file on the EFI system partition. The
// clouds' SDKs were measured and left out: each adds its own retries, and what is needed of them are three HTTP requests.
package metadata

import (
	"context"
	"errors"
)

// MaxDocumentBytes is the largest user-data that is taken (NoCloud and fw_cfg have no limit of their own; EC2's is 16 KiB).
const MaxDocumentBytes = 1 << 20

// ErrNotFound: the source does not exist on this machine (no such volume, key or file). Any other error: it exists and failed.
var ErrNotFound = errors.New("not found")

// Result is what a platform knows about the machine.
type Result struct {
	// Platform is the source's name: "qemu", "nocloud", "ec2", "metal".
	Platform string
	// Origin in words for people, such as "NoCloud volume /dev/vdb (iso9660)".
	Origin string
	// UserData is the raw document; empty where the platform has none.
	UserData []byte
	// Hostname and InstanceID where the platform tells.
	Hostname   string
	InstanceID string
}

// Source is one place from which a machine gets its metadata.
type Source interface {
	// Name is the platform's name.
	Name() string
	// NeedsNetwork tells whether Fetch must wait for an address.
	NeedsNetwork() bool
	// Fetch gets the metadata once, without retries, within the context's deadline.
	Fetch(ctx context.Context) (Result, error)
}
