package artifact

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/klauspost/compress/zstd"

	"github.com/stele-os/stele/builder/store"
)

// The files that VarTemplate makes: the file system (sparse) for the disk image, and compressed for the root, from where the
// agent makes /var anew.
const (
	VarImageName = "var.ext4"
	VarName      = "var.ext4.zst"
)

// VarSizeBytes is the size of the file system in it. It is grown on the machine, so small is enough.
const VarSizeBytes = 128 << 20

// varArguments make an ext4 whose every byte is decided here and not by the host's mke2fs.conf, user, clock or entropy.
// 4 KiB blocks whatever the size; resize= reserves group descriptors for growing online to 8 TiB without moving anything
// (1024 blocks, the most one indirect block can name); every table is written, so that no background thread does it later.
var varArguments = []string{
	"-q", "-F", "-t", "ext4", "-b", "4096", "-I", "256", "-i", "16384", "-m", "0", "-L", "var",
	"-U", "5e1e0000-7661-4072-8000-000000000001", // fixed: partitions are found by their GPT type, never by this
	"-J", "size=32",
	"-O", "none,has_journal,ext_attr,resize_inode,dir_index,filetype,extent,64bit,flex_bg,sparse_super,large_file,huge_file,dir_nlink,extra_isize,metadata_csum",
	"-E", "resize=2147483648,hash_seed=5e1e0000-7661-4072-8000-000000000002,root_owner=0:0,lazy_itable_init=0,lazy_journal_init=0,nodiscard",
}

// VarTemplate makes the empty file system that /var starts from.
func VarTemplate(ctx context.Context) (Recipe, error) {
	mke2fs, err := findSystemTool("mke2fs")
	if err != nil {
		return Recipe{}, &MissingToolsError{Missing: []hostTool{{"mke2fs", "e2fsprogs"}}}
	}
	version, err := mke2fsVersion(ctx, mke2fs)
	if err != nil {
		return Recipe{}, err
	}
	return Recipe{
		Tools: map[string]string{"mke2fs": version},
		Key:   store.NewKey("var").Add("mke2fs", version).Add("arguments", strings.Join(varArguments, " ")).Add("size", fmt.Sprint(VarSizeBytes)),
		Build: func(ctx context.Context, dir string) error {
			return makeVar(ctx, mke2fs, dir)
		},
	}, nil
}

func makeVar(ctx context.Context, mke2fs, dir string) error {
	image := filepath.Join(dir, VarImageName)
	if err := os.WriteFile(image, nil, 0o644); err != nil {
		return err
	}
	if err := os.Truncate(image, VarSizeBytes); err != nil {
		return err
	}
	env := []string{
		"MKE2FS_CONFIG=/dev/null", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C",
		"E2FSPROGS_FAKE_TIME=1", "SOURCE_DATE_EPOCH=1", // the first is read by every version, the second from 1.47.1 on
	}
	if err := run(ctx, dir, env, mke2fs, append(varArguments, image)...); err != nil {
		return err
	}
	return compress(image, filepath.Join(dir, VarName))
}

func compress(from, to string) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.Create(to)
	if err != nil {
		return err
	}
	defer target.Close()
	// One encoder goroutine: the split into blocks must not depend on the number of processors.
	encoder, err := zstd.NewWriter(target, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedBestCompression))
	if err != nil {
		return err
	}
	if _, err := io.Copy(encoder, source); err != nil {
		return errors.Join(err, encoder.Close())
	}
	return errors.Join(encoder.Close(), target.Close())
}
