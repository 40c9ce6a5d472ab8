package main

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"

	"github.com/erofs/go-erofs"
	"github.com/klauspost/compress/zstd"

	"github.com/stele-os/stele/api/v1alpha1"
	"github.com/stele-os/stele/test/qemu/machine"
)

// artifacts are the parts of an image that an update carries.
var artifacts = []string{"uki.efi", "root.erofs", "root.verity"}

// Sizes of an image, in bytes.
type Sizes struct {
	// Files by name.
	Files map[string]int64 `json:"files"`
	// DiskAllocated is what disk.raw takes on the host: it is sparse.
	DiskAllocated int64 `json:"diskAllocatedBytes"`
	// Baked is what the OCI images inside the root take.
	Baked int64 `json:"bakedImagesBytes"`
	// Sum of the artifacts, and each compressed as zstd (level 3) and summed.
	Sum  int64 `json:"sumBytes"`
	Zstd int64 `json:"zstdBytes"`
	// Executables is the number of regular files with an execute bit on the root, outside baked images; Elsewhere those inside them.
	Executables int `json:"executables"`
	Elsewhere   int `json:"executablesInBakedImages"`
}

func measureSizes(image machine.Image) (Sizes, error) {
	s := Sizes{Files: map[string]int64{}}
	for _, name := range append([]string{"disk.raw", "vmlinuz"}, artifacts...) {
		info, err := os.Stat(image.File(name))
		if err != nil {
			return s, fmt.Errorf("cannot measure image: %w", err)
		}
		s.Files[name] = info.Size()
		if stat, ok := info.Sys().(*syscall.Stat_t); ok && name == "disk.raw" {
			s.DiskAllocated = stat.Blocks * 512 // stat(2): st_blocks counts 512-byte units
		}
	}
	for _, name := range artifacts {
		compressed, err := zstdSize(image.File(name))
		if err != nil {
			return s, err
		}
		s.Sum += s.Files[name]
		s.Zstd += compressed
	}
	return s, s.countRoot(image.File("root.erofs"))
}

func zstdSize(path string) (int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	var n counter
	w, err := zstd.NewWriter(&n, zstd.WithEncoderLevel(zstd.SpeedDefault))
	if err != nil {
		return 0, err
	}
	if _, err := io.Copy(w, f); err != nil {
		return 0, fmt.Errorf("cannot compress %q: %w", path, err)
	}
	err = w.Close()
	return int64(n), err
}

type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

// countRoot counts executables and the bytes of baked images.
func (s *Sizes) countRoot(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	root, err := erofs.Open(f)
	if err != nil {
		return fmt.Errorf("cannot read %q: %w", path, err)
	}
	baked := strings.TrimPrefix(v1alpha1.BakedImagesPath, "/") + "/"
	return fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		executable := info.Mode().Perm()&0o111 != 0
		switch inside := strings.HasPrefix(name, baked); {
		case inside && executable:
			s.Elsewhere++
			fallthrough
		case inside:
			s.Baked += info.Size()
		case executable:
			s.Executables++
		}
		return nil
	})
}
