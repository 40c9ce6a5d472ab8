package slots

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"github.com/stele-os/stele/internal/gpt"
)

// pair is the two partitions of one slot.
type pair struct {
	root, verity gpt.Partition
	// tree: the verity partition holds a hash tree, so something was written there once.
	tree bool
}

// rootHash is the root hash that the PARTUUIDs stand for, hex (UAPI.2).
func (p pair) rootHash() string {
	first, second := p.root.GUID.UUID(), p.verity.GUID.UUID()
	return hex.EncodeToString(first[:]) + hex.EncodeToString(second[:])
}

// halves gives the PARTUUIDs of root and verity partition for a root hash.
func halves(rootHash string) (root, verity gpt.GUID, err error) {
	digest, err := hex.DecodeString(rootHash)
	if err != nil || len(digest) != 32 {
		return root, verity, fmt.Errorf("cannot read root hash %q: it is not 64 hexadecimal digits", rootHash)
	}
	return gpt.FromUUID([16]byte(digest[:16])), gpt.FromUUID([16]byte(digest[16:])), nil
}

// rootTypes are the partition types of a slot, by architecture.
var rootTypes = [][2]gpt.GUID{
	{gpt.TypeRootX86_64, gpt.TypeRootX86_64Verity},
	{gpt.TypeRootARM64, gpt.TypeRootARM64Verity},
}

var errNoSlots = errors.New("cannot find the slots: the boot disk has not two root partitions and two verity partitions of one architecture")

// findPairs finds slots a and b: the first and second root partition by number, each with the verity partition of the same rank.
func findPairs(t *gpt.Table) ([2]pair, error) {
	for _, types := range rootTypes {
		var roots, trees []gpt.Partition
		for _, p := range t.Partitions {
			switch p.Type {
			case types[0]:
				roots = append(roots, p)
			case types[1]:
				trees = append(trees, p)
			}
		}
		if len(roots) >= 2 && len(trees) >= 2 {
			return [2]pair{{root: roots[0], verity: trees[0]}, {root: roots[1], verity: trees[1]}}, nil
		}
	}
	return [2]pair{}, errNoSlots
}

// placeholderMark begins the PARTUUIDs of a slot that is being written. They are UUIDs of version 8 (RFC 9562 §5.8: custom_a is 48 bits).
const placeholderMark = "stele\x00"

// placeholder makes a PARTUUID that no root hash has but by a chance of 2^-54.
func placeholder(random io.Reader) (gpt.GUID, error) {
	var uuid [16]byte
	if _, err := io.ReadFull(random, uuid[:]); err != nil {
		return gpt.GUID{}, fmt.Errorf("cannot make a placeholder PARTUUID: %w", err)
	}
	copy(uuid[:], placeholderMark)
	uuid[6] = uuid[6]&0x0f | 0x80
	uuid[8] = uuid[8]&0x3f | 0x80
	return gpt.FromUUID(uuid), nil
}

// cleared tells whether both PARTUUIDs are placeholders.
func (p pair) cleared() bool { return isPlaceholder(p.root.GUID) && isPlaceholder(p.verity.GUID) }

func isPlaceholder(g gpt.GUID) bool {
	uuid := g.UUID()
	return string(uuid[:len(placeholderMark)]) == placeholderMark && uuid[6]>>4 == 8
}
