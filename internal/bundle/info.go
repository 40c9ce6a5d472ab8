package bundle

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/stele-os/stele/internal/pattern"

	"github.com/stele-os/stele/internal/verity"
)

const (
	// MaxRootBytes bounds a root: its table of 2.3 MiB still fits a small machine's memory.
	MaxRootBytes = 64 << 30
	// MaxUKIBytes bounds a UKI: three of them have to fit an ESP.
	MaxUKIBytes = 256 << 20
)

// Architectures that a bundle can be for.
var Architectures = []string{"x86_64", "arm64"}

var (
	namePattern   = pattern.New(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`) // RFC 1123 label, as builder/definition asks for
	digestPattern = pattern.New(`^[0-9a-f]{64}$`)
)

// TargetName is the bundle's name in a repository.
func TargetName(name, version, architecture string) string {
	return name + "_" + version + "_" + architecture + ".bundle"
}

// TargetName is the bundle's name in a repository.
func (i Info) TargetName() string { return TargetName(i.Name, i.Version, i.Architecture) }

// DecodeInfo reads the custom field of a TUF target strictly, and validates what it says.
func DecodeInfo(custom []byte) (Info, error) {
	var outer Custom
	if err := json.Unmarshal(custom, &outer); err != nil {
		return Info{}, fmt.Errorf("cannot read bundle information: %w", err)
	}
	if len(outer.Stele) == 0 {
		return Info{}, errors.New(`cannot read bundle information: the target's custom field has no "stele"`)
	}
	d := json.NewDecoder(bytes.NewReader(outer.Stele))
	var info Info
	// The format decides about the fields: it is looked at before unknown ones are refused.
	var head struct {
		Format int `json:"format"`
	}
	if err := json.Unmarshal(outer.Stele, &head); err != nil {
		return Info{}, fmt.Errorf("cannot read bundle information: %w", err)
	}
	if head.Format != Format {
		return Info{}, fmt.Errorf("cannot read bundle information: its format is %d, known is %d", head.Format, Format)
	}
	d.DisallowUnknownFields()
	if err := d.Decode(&info); err != nil {
		return Info{}, fmt.Errorf("cannot read bundle information: %w", err)
	}
	return info, info.Validate()
}

// Validate tells what is wrong with a bundle's information, before a byte of the bundle is looked at. Every size that a reader allocates or
// compares by follows from it, so the sizes must agree with each other.
func (i Info) Validate() error {
	if err := i.validate(); err != nil {
		return fmt.Errorf("cannot use bundle %q: %w", i.TargetName(), err)
	}
	return nil
}

func (i Info) validate() error {
	if i.Format != Format {
		return fmt.Errorf("its format is %d, known is %d", i.Format, Format)
	}
	if err := i.validateNames(); err != nil {
		return err
	}
	for _, d := range []struct{ name, value string }{
		{"rootHash", i.RootHash}, {"uki.sha256", i.UKI.SHA256}, {"verity.sha256", i.Verity.SHA256}, {"root.sha256", i.Root.SHA256}, {"table.sha256", i.Table.SHA256},
	} {
		if !digestPattern().MatchString(d.value) {
			return fmt.Errorf("%s: %q is no SHA-256 in lower-case hex", d.name, d.value)
		}
	}
	return i.validateSizes()
}

func (i Info) validateNames() error {
	if !namePattern().MatchString(i.Name) {
		return fmt.Errorf("name: %q is no RFC 1123 label", i.Name)
	}
	if err := CheckVersion(i.Version); err != nil {
		return fmt.Errorf("version: %w", err)
	}
	if i.SecurityVersion < 0 || i.SecurityVersion > MaxSecurityVersion {
		return fmt.Errorf("securityVersion: %d is not from 0 to %d", i.SecurityVersion, int64(MaxSecurityVersion))
	}
	if i.MinimumVersion != "" {
		if err := CheckVersion(i.MinimumVersion); err != nil {
			return fmt.Errorf("minimumVersion: %w", err)
		}
	}
	for _, known := range Architectures {
		if i.Architecture == known {
			return nil
		}
	}
	return fmt.Errorf("architecture: %q is none of %q", i.Architecture, Architectures)
}

func (i Info) validateSizes() error {
	switch {
	case i.UKI.Bytes <= 0 || i.UKI.Bytes > MaxUKIBytes:
		return fmt.Errorf("uki.bytes: %d is not from 1 to %d", i.UKI.Bytes, MaxUKIBytes)
	case i.Root.Bytes <= 0 || i.Root.Bytes > MaxRootBytes || i.Root.Bytes%verity.BlockSize != 0:
		return fmt.Errorf("root.bytes: %d is no multiple of %d from 1 to %d", i.Root.Bytes, verity.BlockSize, int64(MaxRootBytes))
	case i.Verity.Bytes != verity.HashDeviceBytes(i.Root.Bytes):
		return fmt.Errorf("verity.bytes: %d is not what a root of %d bytes has", i.Verity.Bytes, i.Root.Bytes)
	}
	chunks := i.chunks()
	switch {
	case i.Table.Length != chunks*EntryBytes:
		return fmt.Errorf("table.length: %d is not that of %d chunks", i.Table.Length, chunks)
	case i.Table.Offset < int64(len(Magic))+chunks || i.Table.Offset > int64(len(Magic))+chunks*MaxFrameBytes:
		return fmt.Errorf("table.offset: %d is no end of %d chunks", i.Table.Offset, chunks)
	case i.BundleBytes != i.Table.Offset+i.Table.Length:
		return fmt.Errorf("bundleBytes: %d is not where the table ends", i.BundleBytes)
	}
	return nil
}

// chunks is how many chunks the three parts have.
func (i Info) chunks() int64 {
	return chunksOf(i.UKI.Bytes) + chunksOf(i.Verity.Bytes) + chunksOf(i.Root.Bytes)
}

func chunksOf(bytes int64) int64 { return (bytes + ChunkBytes - 1) / ChunkBytes }

// RootDigest is RootHash in binary.
func (i Info) RootDigest() (verity.Digest, error) {
	var d verity.Digest
	b, err := hex.DecodeString(i.RootHash)
	if err != nil || len(b) != len(d) {
		return d, fmt.Errorf("cannot read root hash %q: it is no SHA-256 in hex", i.RootHash)
	}
	return verity.Digest(b), nil
}

// Encode returns the TUF target's custom field.
func (i Info) Encode() (json.RawMessage, error) {
	inner, err := json.Marshal(i)
	if err != nil {
		return nil, fmt.Errorf("cannot encode bundle information: %w", err)
	}
	return json.Marshal(Custom{Stele: inner})
}
