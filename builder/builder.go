// Package builder turns an image definition into a disk image.
//
//	definition + lock -> parts (kernel, loader, agent, runc, ...; from the store where their key is known)
//	  -> root as data -> EROFS -> verity -> UKI -> disk -> manifest
//
// Build is the table of contents: each call takes what the calls before it returned, and its package says how. Nothing here
// needs root, loop devices or mounts. The network is used only where the store lacks a pinned input.
//
// Invariants: same definition, lock, sources and toolchain give the same bytes (builder/assemble: TestSameInputsSameBytes); a
// failed build leaves the previous image alone, and an output directory with a manifest is complete; a build with nothing to do
// touches no output (TestStateUnchanged).
package builder

import (
	"context"

	"github.com/stele-os/stele/builder/output"
)

// Build makes the image that o.Definition defines, in o.Output.
func Build(ctx context.Context, o Options) (*output.Manifest, error) {
	// 1. What the image should be, and what its inputs are pinned to.
	b, err := open(ctx, o)
	if err != nil {
		return nil, err
	}
	defer b.close()
	// 2. The kernel: compiled from Debian's source and our fragments, or the definition's own.
	if err := b.kernel(ctx); err != nil {
		return nil, err
	}
	// 3. Boot loader and UKI stub, 4. trusted roots: taken out of Debian packages.
	if err := b.bootLoader(ctx); err != nil {
		return nil, err
	}
	if err := b.certificates(ctx); err != nil {
		return nil, err
	}
	// 5. The empty file system for /var.
	if err := b.varTemplate(ctx); err != nil {
		return nil, err
	}
	// 6. The agent, 7. runc: compiled from this module.
	if err := b.agent(ctx); err != nil {
		return nil, err
	}
	if err := b.runc(ctx); err != nil {
		return nil, err
	}
	// 8. OCI images that lie in the root.
	if err := b.bakeImages(ctx); err != nil {
		return nil, err
	}
	// 9. Root, verity, UKI and disk, 10. the manifest that makes the output directory complete.
	return b.writeImage(ctx)
}
