// Package output describes finished images: manifest.json, which names every artifact of a build with size and digest, and where
// it came from; and it copies sparse disks without filling their holes.
//
// The manifest is written last: an image directory with a manifest is complete. It holds no time and no host name, so that the
// same inputs give the same manifest.
package output

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/stele-os/stele/internal/atomicfile"
	"github.com/stele-os/stele/internal/gpt"
)

// ManifestFile is the manifest's name; a contract with everything that reads build/<arch>/.
const ManifestFile = "manifest.json"

// Manifest describes one built image.
type Manifest struct {
	Name         string `json:"name"`
	Version      string `json:"version"`
	Architecture string `json:"architecture"`
	// SecurityVersion of the definition.
	SecurityVersion int64 `json:"securityVersion,omitempty"`
	// BuildTime in Unix seconds is the time every file of the image bears, not the time of the build.
	BuildTime int64 `json:"buildTime"`
	// RootHash of dm-verity in hex: it stands for every byte of the root.
	RootHash string `json:"rootHash"`
	// CommandLine of the kernel, as the UKI holds it.
	CommandLine string `json:"commandLine"`
	// UpdateRoot is the root of trust of the image's updates; nil: it takes none.
	UpdateRoot *UpdateRoot `json:"updateRoot,omitempty"`
	// SecureBoot tells what signed what; nil: nothing is signed.
	SecureBoot *SecureBoot `json:"secureBoot,omitempty"`
	// LockDigest, KernelConfigDigest: "sha256:<hex>" of images/lock.yaml and the final .config.
	LockDigest         string `json:"lockDigest,omitempty"`
	KernelConfigDigest string `json:"kernelConfigDigest,omitempty"`
	// Toolchain versions by program, such as "go" or "gcc".
	Toolchain map[string]string `json:"toolchain,omitempty"`
	// Artifacts are output files and the parts that went into them.
	Artifacts []Artifact `json:"artifacts"`
	// DiskGUID and Partitions are the partition table of the disk image.
	DiskGUID   string      `json:"diskGUID,omitempty"`
	Partitions []Partition `json:"partitions,omitempty"`
}

// UpdateRoot is TUF root metadata.
type UpdateRoot struct {
	Version int64 `json:"version"`
	// SHA256 of the file in hex.
	SHA256 string `json:"sha256"`
}

// SecureBoot is what firmware finds signed, and by whom.
type SecureBoot struct {
	// Enroll is the loader's word for when a machine in setup mode takes the variables (secure-boot-enroll).
	Enroll string `json:"enroll"`
	// Signer is the certificate, one of db, whose key has signed everything.
	Signer Certificate `json:"signer"`
	// Signed are the programs that firmware verifies.
	Signed []SignedImage `json:"signed"`
	// Variables are the signed ones on the ESP, below loader/keys/auto.
	Variables []Artifact `json:"variables"`
}

// Certificate names an X.509 certificate.
type Certificate struct {
	Subject string `json:"subject"`
	// SHA256 of its DER in hex.
	SHA256 string `json:"sha256"`
	// NotAfter is when it expires (RFC 3339).
	NotAfter string `json:"notAfter"`
}

// SignedImage is one program: "UKI", or its path on the ESP.
type SignedImage struct {
	Name string `json:"name"`
	// Digest is the Authenticode digest (SHA-256) in hex: what db or dbx would list.
	Digest string `json:"digest"`
}

// Artifact is one file.
type Artifact struct {
	Name      string `json:"name"`
	Version   string `json:"version,omitempty"`
	SizeBytes int64  `json:"sizeBytes"`
	// SHA256 in hex.
	SHA256 string `json:"sha256"`
}

// Partition is one entry of the partition table.
type Partition struct {
	Number     int    `json:"number"`
	Name       string `json:"name"`
	TypeGUID   string `json:"typeGUID"`
	PARTUUID   string `json:"partUUID"`
	StartBytes int64  `json:"startBytes"`
	SizeBytes  int64  `json:"sizeBytes"`
}

// SetTable takes disk GUID and partitions from a partition table.
func (m *Manifest) SetTable(t *gpt.Table) {
	m.DiskGUID, m.Partitions = t.DiskGUID.String(), nil
	for _, p := range t.Partitions {
		m.Partitions = append(m.Partitions, Partition{
			Number: p.Number, Name: p.Name, TypeGUID: p.Type.String(), PARTUUID: p.GUID.String(),
			StartBytes: t.StartBytes(p), SizeBytes: t.SizeBytes(p),
		})
	}
}

// Artifact returns the artifact with this name.
func (m *Manifest) Artifact(name string) (Artifact, bool) {
	for _, a := range m.Artifacts {
		if a.Name == name {
			return a, true
		}
	}
	return Artifact{}, false
}

// Write writes the manifest, whole or not at all.
func (m *Manifest) Write(path string) error {
	b, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return fmt.Errorf("cannot encode manifest: %w", err)
	}
	return atomicfile.Write(path, int64(len(b)), func(f *os.File) error {
		_, err := f.Write(append(b, '\n'))
		return err
	})
}

// ErrNoManifest means that a directory holds no complete image.
var ErrNoManifest = errors.New("no manifest: the image is not built, or not completely")

// ReadManifest reads a manifest.
func ReadManifest(path string) (*Manifest, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("cannot read %q: %w", path, ErrNoManifest)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read manifest: %w", err)
	}
	m := new(Manifest)
	if err := json.Unmarshal(b, m); err != nil {
		return nil, fmt.Errorf("cannot read manifest %q: %w", path, err)
	}
	return m, nil
}
