// Package slotstest makes what tests of updates need: small versions that are complete, disks as the builder makes them, and bundles. It is for
// tests only.
//
// Everything is real but small: a GPT, a FAT32 ESP, verity roots of some ten KiB and UKIs with real sections, so that internal/bootmodel and
// agent/update/transfer take them. Made by the builder's packages they would be the builder's idea of a disk, and agent tests may not import it.
package slotstest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stele-os/stele/internal/authenticode"
	"github.com/stele-os/stele/internal/bundle"
	"github.com/stele-os/stele/internal/gpt"
	"github.com/stele-os/stele/internal/pkcs7"
	"github.com/stele-os/stele/internal/uki"
	"github.com/stele-os/stele/internal/uki/ukitest"
	"github.com/stele-os/stele/internal/verity"
)

// Version is a small version that is complete: a root with its tree, and a UKI that starts it.
type Version struct {
	Info            bundle.Info
	Root, Tree, UKI []byte
}

var testSalt = []byte("salt")

// Make makes a version; the same name and size give the same bytes.
func Make(t testing.TB, name string, rootBytes int) Version { return MakeSecure(t, name, rootBytes, 0) }

// MakeSecure makes a version with a security version.
func MakeSecure(t testing.TB, name string, rootBytes int, security int64) Version {
	t.Helper()
	var seed [32]byte
	copy(seed[:], name)
	root := make([]byte, rootBytes)
	_, _ = rand.NewChaCha8(seed).Read(root)
	tree := make(sliceWriter, verity.HashDeviceBytes(int64(len(root))))
	digest, err := verity.WriteTree(context.Background(), tree, bytes.NewReader(root), int64(len(root)), testSalt)
	if err != nil {
		t.Fatal(err)
	}
	blocks := int64(len(root) / verity.BlockSize)
	if err := verity.WriteSuperblock(tree, verity.Superblock{DataBlocks: blocks, Salt: testSalt}); err != nil {
		t.Fatal(err)
	}
	first, second := gpt.FromUUID([16]byte(digest[:16])), gpt.FromUUID([16]byte(digest[16:]))
	table := verity.Table{DataDevice: "PARTUUID=" + first.String(), HashDevice: "PARTUUID=" + second.String(), DataBlocks: blocks, RootHash: digest, Salt: testSalt}
	release := fmt.Sprintf("ID=stele\nVERSION_ID=%q\nIMAGE_ID=\"test\"\nIMAGE_VERSION=%q\n", name, name)
	if security != 0 {
		release += fmt.Sprintf("%s=%d\n", bundle.SecurityVersionKey, security)
	}
	image, err := uki.Append(ukitest.Stub(), []uki.Section{
		{Name: uki.OSRelease, Data: []byte(release)},
		{Name: uki.CommandLine, Data: []byte("root=/dev/dm-0 ro rootfstype=erofs gpt " + table.CreateArgument("root"))},
		{Name: uki.Kernel, Data: []byte("kernel of " + name)},
	})
	if err != nil {
		t.Fatal(err)
	}
	v := Version{Root: root, Tree: tree, UKI: image}
	v.Info = bundle.Info{Format: bundle.Format, Name: "test", Version: name, SecurityVersion: security, Architecture: "x86_64", RootHash: hex.EncodeToString(digest[:]),
		UKI: part(image), Verity: part(tree), Root: part(root)}
	return v
}

// Signed is the version with a UKI that the key has signed for Secure Boot.
func (v Version) Signed(t testing.TB, key pkcs7.Key) Version {
	t.Helper()
	signed, err := authenticode.Sign(v.UKI, key)
	if err != nil {
		t.Fatal(err)
	}
	v.UKI = signed
	return v.Sized()
}

// Sized is the version with the information of the UKI that it has now.
func (v Version) Sized() Version {
	v.Info.UKI = part(v.UKI)
	return v
}

func part(b []byte) bundle.Part {
	sum := sha256.Sum256(b)
	return bundle.Part{Bytes: int64(len(b)), SHA256: hex.EncodeToString(sum[:])}
}

type sliceWriter []byte

func (s sliceWriter) WriteAt(p []byte, at int64) (int, error) { return copy(s[at:], p), nil }
