package artifact

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/stele-os/stele/builder/store"
	"github.com/stele-os/stele/internal/debian"
)

// Recipe is one part of an image: the key of its inputs, and how to make it when the store lacks it.
type Recipe struct {
	Key *store.Key
	// Version of what is made, as its makers count; "" where only building tells.
	Version string
	// Tools are the build host's programs that shape the bytes: name to version.
	Tools map[string]string
	Build func(ctx context.Context, dir string) error
}

// Package is one pinned Debian package. Its bytes are fetched only when a recipe is built.
type Package struct {
	Name, Version, SHA256 string
	Fetch                 func(context.Context) (string, error)
}

// extract writes the named files of the package (absolute path to destination) and fails if one is missing.
func (p Package) extract(ctx context.Context, files map[string]string) error {
	missing := map[string]bool{}
	for name := range files {
		missing[name] = true
	}
	err := p.walk(ctx, func(name string, header *tar.Header, content io.Reader) error {
		to, wanted := files[name]
		if !wanted || header.Typeflag != tar.TypeReg {
			return nil
		}
		if err := writeFile(to, content); err != nil {
			return err
		}
		delete(missing, name)
		if len(missing) == 0 {
			return debian.ErrStop
		}
		return nil
	})
	if err != nil {
		return err
	}
	for name := range missing {
		return fmt.Errorf("cannot find %q in package %q", name, p.Name)
	}
	return nil
}

// walk fetches the package and calls each for every file of it.
func (p Package) walk(ctx context.Context, each func(string, *tar.Header, io.Reader) error) error {
	path, err := p.Fetch(ctx)
	if err != nil {
		return err
	}
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("cannot open package %q: %w", p.Name, err)
	}
	defer file.Close()
	if err := debian.WalkDeb(file, each); err != nil {
		return fmt.Errorf("cannot read package %q: %w", p.Name, err)
	}
	return nil
}

func writeFile(path string, content io.Reader) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, content)
	return errors.Join(err, file.Close())
}
