package builder

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/stele-os/stele/api/v1alpha1"
	"github.com/stele-os/stele/builder/artifact"
	"github.com/stele-os/stele/builder/assemble"
	"github.com/stele-os/stele/builder/definition"
	"github.com/stele-os/stele/builder/output"
)

// manifest measures the outputs that the definition wants, and names the parts.
func (b *build) manifest(ctx context.Context, dir string, info v1alpha1.ImageInfo, result assemble.Result) (*output.Manifest, error) {
	m := &output.Manifest{
		Name: info.Name, Version: info.Version, Architecture: info.Architecture, SecurityVersion: info.SecurityVersion, BuildTime: info.BuildTime,
		RootHash: fmt.Sprintf("%x", result.Verity.RootHash), CommandLine: result.CommandLine,
		LockDigest: "sha256:" + b.lockDigest.SHA256,
		UpdateRoot: b.updateRoot.manifest(),
		SecureBoot: b.secureBoot.manifest(),
		Toolchain:  map[string]string{},
	}
	m.SetTable(result.Table)
	for _, name := range definition.Outputs {
		path := filepath.Join(dir, name)
		if !slices.Contains(b.definition.Outputs, name) {
			continue
		}
		a, err := output.ArtifactOf(ctx, name, info.Version, path)
		if err != nil {
			return nil, err
		}
		m.Artifacts = append(m.Artifacts, a)
	}
	b.addParts(m)
	return m, nil
}

// addParts names what went into the image. The kernel is among the outputs.
func (b *build) addParts(m *output.Manifest) {
	for _, p := range b.parts {
		for name, digest := range p.Files {
			switch {
			case p.name == partKernel && name == artifact.KernelConfigName:
				m.KernelConfigDigest = "sha256:" + digest.SHA256
			case p.name != partKernel && name != artifact.VarImageName:
				m.Artifacts = append(m.Artifacts, output.Artifact{Name: name, Version: p.version, SizeBytes: digest.SizeBytes, SHA256: digest.SHA256})
			}
		}
		for name, version := range p.tools {
			m.Toolchain[name] = version
		}
	}
	m.Artifacts = append(m.Artifacts, b.baked...)
	slices.SortStableFunc(m.Artifacts[len(b.definition.Outputs):], func(a, c output.Artifact) int { return strings.Compare(a.Name, c.Name) })
}

func digestsOf(m *output.Manifest, key string) []string {
	lines := []string{"key " + key, "root hash " + m.RootHash}
	for _, a := range m.Artifacts {
		lines = append(lines, fmt.Sprintf("%s sha256:%s (%d bytes)", a.Name, a.SHA256, a.SizeBytes))
	}
	return lines
}
