package storage

import (
	"strings"

	"github.com/stele-os/stele/internal/gpt"
)

// verityLine is what dm-mod.create= says about the root.
type verityLine struct {
	// data and hash are PARTUUIDs in lower case.
	data, hash string
	rootHash   string
}

// decodeVerityLine reads the value of dm-mod.create= (kernel, Documentation/admin-guide/device-mapper/dm-init.rst):
//
//	<name>,<uuid>,<minor>,<flags>,<start> <len> verity <version> <data> <hash> <data block> <hash block> <n> <hash start> <alg> <digest> <salt> ...
//
// The table is that of dm-verity (verity.rst, "Construction Parameters"). It returns false for anything else.
func decodeVerityLine(value string) (verityLine, bool) {
	for device := range strings.SplitSeq(value, ";") {
		parts := strings.SplitN(device, ",", 5)
		if len(parts) != 5 {
			continue
		}
		for table := range strings.SplitSeq(parts[4], ",") {
			f := strings.Fields(table)
			if len(f) < 13 || f[2] != "verity" {
				continue
			}
			data, hash := partUUID(f[4]), partUUID(f[5])
			if data != "" && hash != "" {
				return verityLine{data: data, hash: hash, rootHash: strings.ToLower(f[11])}, true
			}
		}
	}
	return verityLine{}, false
}

// partUUID returns the GUID of "PARTUUID=<guid>" in lower case, or "".
func partUUID(word string) string {
	text, ok := strings.CutPrefix(word, "PARTUUID=")
	if !ok {
		return ""
	}
	guid, err := gpt.ParseGUID(text)
	if err != nil {
		return ""
	}
	return guid.String()
}

// slot tells in which slot a root partition lies: the first partition of its type is slot a, the second b; "" for others.
func slot(t *gpt.Table, data string) string {
	names := []string{"a", "b"}
	var own *gpt.Partition
	for i, p := range t.Partitions {
		if p.GUID.String() == data {
			own = &t.Partitions[i]
		}
	}
	if own == nil {
		return ""
	}
	for _, p := range t.Partitions {
		if p.Type != own.Type || len(names) == 0 {
			continue
		}
		if p.Number == own.Number {
			return names[0]
		}
		names = names[1:]
	}
	return ""
}
