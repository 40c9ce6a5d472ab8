package assemble

import (
	"context"
	"encoding/hex"
	"fmt"
	"os"

	"github.com/stele-os/stele/internal/atomicfile"
	"github.com/stele-os/stele/internal/gpt"
	"github.com/stele-os/stele/internal/verity"
)

// salt is the same for every image, so that leaf hashes of two versions can be compared and an update fetches only blocks that
// changed. It keeps nothing secret: security rests on the root hash. It is SHA-256("stele verity salt 1").
var salt = mustHex("4215485c11f081752e9e35199eb1ee02a0eb78e88136bd7b2a49261a00d53e8e")

// Verity is what the hash tree says about a root.
type Verity struct {
	RootHash   verity.Digest
	DataBlocks int64
}

// RootGUID is the PARTUUID of the root partition: the first 128 bits of the root hash (Discoverable Partitions Specification).
func (v Verity) RootGUID() gpt.GUID { return gpt.FromUUID([16]byte(v.RootHash[:16])) }

// HashGUID is the PARTUUID of the verity partition: the last 128 bits of the root hash (same place).
func (v Verity) HashGUID() gpt.GUID { return gpt.FromUUID([16]byte(v.RootHash[16:])) }

// WriteVerity writes the hash tree of the root image.
func WriteVerity(ctx context.Context, path, rootPath string) (Verity, error) {
	root, err := os.Open(rootPath)
	if err != nil {
		return Verity{}, fmt.Errorf("cannot open root image: %w", err)
	}
	defer root.Close()
	info, err := root.Stat()
	if err != nil {
		return Verity{}, fmt.Errorf("cannot open root image: %w", err)
	}
	v := Verity{DataBlocks: info.Size() / verity.BlockSize}
	err = atomicfile.Write(path, verity.HashDeviceBytes(info.Size()), func(f *os.File) (err error) {
		if v.RootHash, err = verity.WriteTree(ctx, f, root, info.Size(), salt); err != nil {
			return err
		}
		// The UUID is no part of what is hashed, so it can come from the root hash, and differs between slots.
		return verity.WriteSuperblock(f, verity.Superblock{UUID: v.HashGUID().UUID(), DataBlocks: v.DataBlocks, Salt: salt})
	})
	return v, err
}

func mustHex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}
