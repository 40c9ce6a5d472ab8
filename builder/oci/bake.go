package oci

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/stele-os/stele/api/v1alpha1"
	"github.com/stele-os/stele/builder/tree"
	"github.com/stele-os/stele/internal/hint"
)

// Baked is an image as part of the root.
type Baked struct {
	// Entries lie under v1alpha1.BakedImagesPath/<name>: rootfs and config.json. They read from the file in the work directory given to Bake.
	Entries []tree.Entry
	Info    v1alpha1.BakedImage
}

// Bake flattens an image. The content of its files is kept in one file "<name>.content" in workDir, which must stay as long as the entries are used.
func Bake(ctx context.Context, name string, image v1.Image, workDir string) (Baked, error) {
	b, err := bake(ctx, name, image, workDir)
	if err != nil {
		return Baked{}, hint.New(fmt.Errorf("cannot bake image %q: %w", name, err),
			"fetch the image again; if it stays broken, export it again from where it was made")
	}
	return b, nil
}

func bake(ctx context.Context, name string, image v1.Image, workDir string) (Baked, error) {
	digest, err := verifyManifest(image)
	if err != nil {
		return Baked{}, err
	}
	config, err := image.RawConfigFile()
	if err != nil {
		return Baked{}, fmt.Errorf("cannot read its configuration: %w", err)
	}
	s, err := newSpool(filepath.Join(workDir, name+".content"))
	if err != nil {
		return Baked{}, err
	}
	flat := newFlattened(s.add)
	if err := applyLayers(ctx, flat, image); err != nil {
		s.remove()
		return Baked{}, err
	}
	if err := s.close(); err != nil {
		return Baked{}, err
	}
	base := path.Join(v1alpha1.BakedImagesPath, name)
	entries := flat.entries(path.Join(base, "rootfs"), s.path)
	entries = append(entries, tree.Bytes(path.Join(base, "config.json"), config))
	slices.SortFunc(entries, func(a, b tree.Entry) int { return strings.Compare(a.Path, b.Path) })
	return Baked{Entries: entries, Info: v1alpha1.BakedImage{Name: name, Digest: digest}}, nil
}

// verifyManifest compares manifest and configuration with their digests and returns the manifest's.
func verifyManifest(image v1.Image) (string, error) {
	manifest, err := image.Manifest()
	if err != nil {
		return "", fmt.Errorf("cannot read its manifest: %w", err)
	}
	raw, err := image.RawManifest()
	if err != nil {
		return "", fmt.Errorf("cannot read its manifest: %w", err)
	}
	want, err := image.Digest()
	if err != nil {
		return "", fmt.Errorf("cannot read its manifest's digest: %w", err)
	}
	if got := sha256Digest(raw); got != want.String() {
		return "", fmt.Errorf("its manifest is corrupt: digest %s instead of %s", got, want)
	}
	config, err := image.RawConfigFile()
	if err != nil {
		return "", fmt.Errorf("cannot read its configuration: %w", err)
	}
	if got := sha256Digest(config); got != manifest.Config.Digest.String() {
		return "", fmt.Errorf("its configuration is corrupt: digest %s instead of %s", got, manifest.Config.Digest)
	}
	return want.String(), nil
}

func applyLayers(ctx context.Context, flat *flattened, image v1.Image) error {
	layers, err := image.Layers()
	if err != nil {
		return fmt.Errorf("cannot read its layers: %w", err)
	}
	config, err := image.ConfigFile()
	if err != nil {
		return fmt.Errorf("cannot read its configuration: %w", err)
	}
	if len(config.RootFS.DiffIDs) != len(layers) {
		return fmt.Errorf("its configuration names %d layers and its manifest %d", len(config.RootFS.DiffIDs), len(layers))
	}
	for i, layer := range layers {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := applyLayer(flat, layer, config.RootFS.DiffIDs[i]); err != nil {
			return fmt.Errorf("layer %d of %d: %w", i+1, len(layers), err)
		}
	}
	return nil
}

func applyLayer(flat *flattened, layer v1.Layer, want v1.Hash) error {
	r, err := layer.Uncompressed()
	if err != nil {
		return fmt.Errorf("cannot open it: %w", err)
	}
	defer r.Close()
	sum := sha256.New()
	in := io.TeeReader(r, sum)
	if err := flat.apply(in); err != nil {
		return err
	}
	// What follows the archive's end belongs to the digest too.
	if _, err := io.Copy(io.Discard, in); err != nil {
		return fmt.Errorf("cannot read it to its end: %w", err)
	}
	if got := "sha256:" + hex.EncodeToString(sum.Sum(nil)); got != want.String() {
		return fmt.Errorf("it is corrupt: digest %s instead of %s", got, want)
	}
	return nil
}

func sha256Digest(data []byte) string {
	sum := sha256.Sum256(data)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// entries of the tree, sorted, with the image's root at base.
func (f *flattened) entries(base, spoolPath string) []tree.Entry {
	out := make([]tree.Entry, 0, len(f.files))
	first := map[span]string{}
	for _, name := range slices.Sorted(maps.Keys(f.files)) {
		e := f.files[name]
		entry := tree.Entry{
			Path: path.Join(base, name), Mode: e.mode, UID: e.uid, GID: e.gid,
			Target: e.target, Xattrs: e.xattrs,
		}
		if e.mode.IsRegular() {
			entry = withContent(entry, spoolPath, e.content, first)
		}
		out = append(out, entry)
	}
	return out
}

// opener opens a part of the spool.
func opener(spoolPath string, s span) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) {
		f, err := os.Open(spoolPath)
		if err != nil {
			return nil, err
		}
		return struct {
			io.Reader
			io.Closer
		}{io.NewSectionReader(f, s.offset, s.size), f}, nil
	}
}

// withContent gives a file its bytes, or makes it a further name of the file that had the same span of the spool first: only hard links share one.
func withContent(entry tree.Entry, spoolPath string, s span, first map[span]string) tree.Entry {
	if target, ok := first[s]; ok {
		return tree.Entry{Path: entry.Path, HardLink: target}
	}
	if s.size > 0 {
		first[s] = entry.Path
	}
	entry.Size, entry.Open = s.size, opener(spoolPath, s)
	return entry
}
