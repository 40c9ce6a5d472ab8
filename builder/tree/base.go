package tree

import (
	"encoding/json"
	"fmt"

	"github.com/stele-os/stele/api/v1alpha1"
	"github.com/stele-os/stele/rootfs"
)

// Base is what every root is made of. Paths are files of the build host.
type Base struct {
	Info v1alpha1.ImageInfo
	// Agent and Runc are the two static executables.
	Agent, Runc string
	// CACertificates is a PEM bundle.
	CACertificates string
	// VarTemplate is the zstd-compressed ext4 file system; empty: none.
	VarTemplate string
	// UpdateRoot is the root metadata that updates are checked against; empty: none.
	UpdateRoot []byte
	// Document is the definition's own Machine document as YAML; empty: none.
	Document []byte
}

// CACertificatesPath is where Go programs and most others look for trusted roots.
const CACertificatesPath = "/etc/ssl/certs/ca-certificates.crt"

// OSReleasePath is os-release(5)'s place on a root without /usr/lib/os-release.
const OSReleasePath = "/etc/os-release"

// NewBase returns the tree every image starts with; definition files and baked images are added to it.
func NewBase(b Base) (*Tree, error) {
	t := New()
	for _, dir := range rootfs.MountPoints {
		if err := t.Add("the base", Directory(dir)); err != nil {
			return nil, err
		}
	}
	for _, link := range rootfs.Links {
		if err := t.Add("the base", Link(link.Path, link.Target)); err != nil {
			return nil, err
		}
	}
	if err := t.addHostFiles(b); err != nil {
		return nil, err
	}
	info, err := json.MarshalIndent(b.Info, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("cannot encode image information: %w", err)
	}
	files := []Entry{
		Bytes(v1alpha1.ImageInfoPath, append(info, '\n')),
		Bytes(OSReleasePath, OSRelease(b.Info)),
		Directory(v1alpha1.BakedImagesPath),
	}
	if len(b.Document) > 0 {
		files = append(files, Bytes(v1alpha1.ImageDocumentPath, b.Document))
	}
	if len(b.UpdateRoot) > 0 {
		files = append(files, Bytes(v1alpha1.UpdateRootPath, b.UpdateRoot))
	}
	return t, t.Add("the base", files...)
}

func (t *Tree) addHostFiles(b Base) error {
	for _, f := range []struct {
		path, source string
		executable   bool
	}{
		{v1alpha1.AgentPath, b.Agent, true},
		{v1alpha1.RuncPath, b.Runc, true},
		{CACertificatesPath, b.CACertificates, false},
		{v1alpha1.VarTemplatePath, b.VarTemplate, false},
	} {
		if f.source == "" && f.path == v1alpha1.VarTemplatePath {
			continue
		}
		e, err := File(f.path, f.source, f.executable)
		if err != nil {
			return err
		}
		if err := t.Add("the base", e); err != nil {
			return err
		}
	}
	return nil
}
