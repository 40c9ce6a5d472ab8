package assemble

import (
	"crypto/sha256"
	"fmt"

	"github.com/stele-os/stele/api/v1alpha1"
	"github.com/stele-os/stele/internal/gpt"
	"github.com/stele-os/stele/internal/verity"
)

// Sizes of the partitions in bytes. Zero takes the default.
type Sizes struct {
	// ESP holds the loader and up to three UKIs.
	ESP int64
	// Root is the size of each root slot; each verity slot gets what its hash tree needs.
	Root int64
	// Var is what /var has before it grows at first boot.
	Var int64
}

// defaultSizes suit years: boot partitions cannot grow later, and empty space costs nothing in a sparse or compressed image.
var defaultSizes = Sizes{ESP: 512 << 20, Root: 1 << 30, Var: 128 << 20}

// Names of the partitions, in their order on the disk. A slot is a root with its verity partition.
const (
	PartitionESP         = "esp"
	PartitionRootA       = "root-a"
	PartitionRootAVerity = "root-a-verity"
	PartitionRootB       = "root-b"
	PartitionRootBVerity = "root-b-verity"
	PartitionVar         = "var"
)

func (s Sizes) withDefaults() Sizes {
	for _, f := range []struct {
		value    *int64
		fallback int64
	}{{&s.ESP, defaultSizes.ESP}, {&s.Root, defaultSizes.Root}, {&s.Var, defaultSizes.Var}} {
		if *f.value == 0 {
			*f.value = f.fallback
		}
		*f.value = (*f.value + gpt.Alignment - 1) / gpt.Alignment * gpt.Alignment
	}
	return s
}

// planTable lays the disk out. Every GUID is derived from what the image is; those of slot a are the root hash.
func planTable(info v1alpha1.ImageInfo, sizes Sizes, v Verity) (*gpt.Table, error) {
	rootType, verityType := gpt.TypeRootX86_64, gpt.TypeRootX86_64Verity
	if info.Architecture == "arm64" {
		rootType, verityType = gpt.TypeRootARM64, gpt.TypeRootARM64Verity
	}
	sizes = sizes.withDefaults()
	hashBytes := (verity.HashDeviceBytes(sizes.Root) + gpt.Alignment - 1) / gpt.Alignment * gpt.Alignment
	guid := func(what string) gpt.GUID { return deriveGUID(info, v, what) }
	partitions := []struct {
		gpt.Partition
		size int64
	}{
		{gpt.Partition{Name: PartitionESP, Type: gpt.TypeESP, GUID: guid(PartitionESP)}, sizes.ESP},
		{gpt.Partition{Name: PartitionRootA, Type: rootType, GUID: v.RootGUID(), Attributes: gpt.AttributeReadOnly}, sizes.Root},
		{gpt.Partition{Name: PartitionRootAVerity, Type: verityType, GUID: v.HashGUID(), Attributes: gpt.AttributeReadOnly}, hashBytes},
		{gpt.Partition{Name: PartitionRootB, Type: rootType, GUID: guid(PartitionRootB), Attributes: gpt.AttributeReadOnly}, sizes.Root},
		{gpt.Partition{Name: PartitionRootBVerity, Type: verityType, GUID: guid(PartitionRootBVerity), Attributes: gpt.AttributeReadOnly}, hashBytes},
		{gpt.Partition{Name: PartitionVar, Type: gpt.TypeVar, GUID: guid(PartitionVar), Attributes: gpt.AttributeGrowFS}, sizes.Var},
	}
	total := int64(2 * gpt.Alignment) // the table and its backup
	for _, p := range partitions {
		total += p.size
	}
	table := gpt.New(guid("disk"), total, gpt.DefaultSectorSize)
	for _, p := range partitions {
		if _, err := table.Append(p.Partition, p.size); err != nil {
			return nil, fmt.Errorf("cannot lay out disk: %w", err)
		}
	}
	return table, nil
}

// deriveGUID hashes what the image is into a UUID of version 8 (RFC 9562 §5.8).
func deriveGUID(info v1alpha1.ImageInfo, v Verity, what string) gpt.GUID {
	sum := sha256.Sum256(fmt.Appendf(nil, "stele\x00%s\x00%s\x00%s\x00%x\x00%s", info.Name, info.Version, info.Architecture, v.RootHash, what))
	uuid := [16]byte(sum[:16])
	uuid[6] = uuid[6]&0x0f | 0x80
	uuid[8] = uuid[8]&0x3f | 0x80
	return gpt.FromUUID(uuid)
}
