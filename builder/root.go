package builder

import (
	"context"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/stele-os/stele/api/v1alpha1"
	"github.com/stele-os/stele/builder/artifact"
	"github.com/stele-os/stele/builder/definition"
	"github.com/stele-os/stele/builder/oci"
	"github.com/stele-os/stele/builder/output"
	"github.com/stele-os/stele/builder/tree"
)

// rootTree describes the root: the base, the definition's files, the baked images. workDir keeps the images' contents.
func (b *build) rootTree(ctx context.Context, info v1alpha1.ImageInfo, workDir string) (*tree.Tree, v1alpha1.ImageInfo, error) {
	var entries []tree.Entry
	for _, image := range b.images {
		opened, err := image.open(ctx, workDir)
		if err != nil {
			return nil, info, err
		}
		baked, err := oci.Bake(ctx, image.name, opened, workDir)
		if err != nil {
			return nil, info, err
		}
		info.BakedImages = append(info.BakedImages, baked.Info)
		b.baked = append(b.baked, bakedArtifact(baked))
		entries = append(entries, baked.Entries...)
	}
	t, err := tree.NewBase(tree.Base{
		Info:           info,
		Agent:          b.part(partAgent).Path(artifact.AgentName),
		Runc:           b.part(partRunc).Path(artifact.RuncName),
		CACertificates: b.part(partCertificates).Path(artifact.CertificatesName),
		VarTemplate:    b.part(partVar).Path(artifact.VarName),
		Document:       b.document,
		UpdateRoot:     b.updateRoot.text,
	})
	if err != nil {
		return nil, info, err
	}
	for _, f := range b.definition.Files {
		entry, err := fileEntry(f)
		if err != nil {
			return nil, info, err
		}
		if err := t.Add("the definition's files", entry); err != nil {
			return nil, info, err
		}
	}
	return t, info, t.Add("baked images", entries...)
}

// bakedArtifact is what the manifest says about an image: its manifest's digest, and what it takes on the root.
func bakedArtifact(baked oci.Baked) output.Artifact {
	a := output.Artifact{
		Name: "images/" + baked.Info.Name, Version: baked.Info.Digest, SHA256: strings.TrimPrefix(baked.Info.Digest, "sha256:"),
	}
	for _, e := range baked.Entries {
		a.SizeBytes += e.Size
	}
	return a
}

func fileEntry(f definition.File) (entry tree.Entry, err error) {
	mode, err := strconv.ParseUint(f.Mode, 8, 32)
	if err != nil {
		return tree.Entry{}, fmt.Errorf("cannot add %q to the root: %w", f.Path, err)
	}
	if f.Content != nil {
		entry = tree.Bytes(f.Path, []byte(*f.Content))
	} else if entry, err = tree.File(f.Path, f.Source, false); err != nil {
		return tree.Entry{}, err
	}
	entry.Mode = fs.FileMode(mode)
	return entry, nil
}
