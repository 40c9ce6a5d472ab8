// Package testimage writes directories that look like what `stele build` leaves behind, for tests of what comes after it: a root of two
// blocks that no machine could start, with a hash tree, a UKI and a manifest that fit.
//
// It is for tests only. Tests of the builder itself make real images (builder/assemble).
package testimage

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"

	"github.com/stele-os/stele/builder/definition"
	"github.com/stele-os/stele/builder/output"
	"github.com/stele-os/stele/internal/uki"
	"github.com/stele-os/stele/internal/uki/ukitest"
	"github.com/stele-os/stele/internal/verity"
)

// Image is what a test decides about an image.
type Image struct {
	Name, Version, Architecture string
	// Root is the file with the root of trust; empty: none.
	Root string
	// Edit changes the manifest before it is written.
	Edit func(m *output.Manifest)
}

// Write writes the image to a directory that is there.
func Write(ctx context.Context, dir string, i Image) error {
	root := bytes.Repeat([]byte(i.Version+" root of "+i.Name+" for "+i.Architecture+"\n"), verity.BlockSize)[:2*verity.BlockSize]
	tree, hash, err := treeOf(ctx, root)
	if err != nil {
		return err
	}
	kernel, err := uki.Append(ukitest.Stub(), []uki.Section{
		{Name: uki.CommandLine, Data: fmt.Appendf(nil, "dm-mod.create=%x", hash)},
		{Name: uki.OSRelease, Data: fmt.Appendf(nil, "ID=\"stele\"\nIMAGE_VERSION=%q\n", i.Version)},
	})
	if err != nil {
		return err
	}
	m := &output.Manifest{Name: i.Name, Version: i.Version, Architecture: i.Architecture, RootHash: hex.EncodeToString(hash[:])}
	for _, f := range []struct {
		name string
		text []byte
	}{{definition.OutputUKI, kernel}, {definition.OutputVerity, tree}, {definition.OutputRoot, root}} {
		if err := os.WriteFile(filepath.Join(dir, f.name), f.text, 0o600); err != nil {
			return err
		}
		sum := sha256.Sum256(f.text)
		m.Artifacts = append(m.Artifacts, output.Artifact{Name: f.name, SizeBytes: int64(len(f.text)), SHA256: hex.EncodeToString(sum[:])})
	}
	if i.Root != "" {
		text, err := os.ReadFile(i.Root)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(text)
		m.UpdateRoot = &output.UpdateRoot{Version: 1, SHA256: hex.EncodeToString(sum[:])}
	}
	if i.Edit != nil {
		i.Edit(m)
	}
	return m.Write(filepath.Join(dir, output.ManifestFile))
}

// memory is a hash device.
type memory []byte

func (m memory) WriteAt(p []byte, at int64) (int, error) { return copy(m[at:], p), nil }

func treeOf(ctx context.Context, root []byte) (memory, verity.Digest, error) {
	tree := make(memory, verity.HashDeviceBytes(int64(len(root))))
	hash, err := verity.WriteTree(ctx, tree, bytes.NewReader(root), int64(len(root)), []byte("salt"))
	if err != nil {
		return nil, hash, err
	}
	return tree, hash, verity.WriteSuperblock(tree, verity.Superblock{DataBlocks: int64(len(root) / verity.BlockSize), Salt: []byte("salt")})
}
