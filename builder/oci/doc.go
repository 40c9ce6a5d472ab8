// Package oci turns an OCI image into entries of the root: the image, its layers flattened, lies unpacked under the verified root, so that its
// container starts without network, without unpacking and without a copy.
//
//	Open (layout, archive, registry) --v1.Image--> Bake --[]tree.Entry--> builder/tree
//	FromGoBinary -----------------------^
//
// Invariants:
//   - Nothing unverified goes in: manifest and configuration are compared with their digests, each layer's uncompressed bytes with the configuration's
//     diff id (TestBakeRefusesCorruption).
//   - No path leaves the image's own root: ".." is refused, links in parents are resolved inside of it (TestFlatten, FuzzFlatten).
//   - The same image gives the same entries in the same order.
//
// Flattening follows image-spec v1.1, layer.md: whiteouts, opaque directories, hard links (one file of the root with several names),
// extended attributes as PAX records SCHILY.xattr.*. Left out on purpose: devices and FIFOs (the runtime makes /dev; a character device 0:0 would even be
// a whiteout to overlayfs, whose lower directory this is) and attributes of overlayfs itself.
//
// Reading formats and registries is go-containerregistry's work. Its mutate.Extract also flattens, but knows no opaque directories and
// verifies nothing.
package oci
