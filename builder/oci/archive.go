package oci

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// openArchive opens a tar file that holds an OCI layout (it is unpacked into workDir) or what "docker save" writes.
func openArchive(file, arch, workDir string) (v1.Image, error) {
	in, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	dir, err := os.MkdirTemp(workDir, "layout-")
	if err != nil {
		return nil, err
	}
	found, err := unpackLayout(in, dir)
	if err == nil && found {
		return openLayout(dir, arch)
	}
	_ = os.RemoveAll(dir)
	if err != nil {
		return nil, err
	}
	return tarball.ImageFromPath(file, nil)
}

// unpackLayout writes the files that belong to an OCI layout below dir, and tells whether index.json was among them. Nothing else is written,
// so no name of the archive can lead elsewhere.
func unpackLayout(r io.Reader, dir string) (bool, error) {
	found := false
	archive := tar.NewReader(r)
	for {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return found, nil
		}
		if err != nil {
			return false, fmt.Errorf("cannot read the archive: %w", err)
		}
		name := path.Clean(h.Name)
		if h.Typeflag != tar.TypeReg || !inLayout(name) {
			continue
		}
		found = found || name == "index.json"
		if err := writeFile(filepath.Join(dir, filepath.FromSlash(name)), archive); err != nil {
			return false, fmt.Errorf("cannot unpack the archive: %w", err)
		}
	}
}

// inLayout: oci-layout, index.json, blobs/<algorithm>/<hex>.
func inLayout(name string) bool {
	if name == "oci-layout" || name == "index.json" {
		return true
	}
	parts := strings.Split(name, "/")
	return len(parts) == 3 && parts[0] == "blobs" && isWord(parts[1]) && isWord(parts[2])
}

func isWord(s string) bool {
	return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789") == ""
}

func writeFile(name string, r io.Reader) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, r)
	return errors.Join(err, f.Close())
}
