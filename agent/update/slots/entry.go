package slots

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/stele-os/stele/agent/system"
	"github.com/stele-os/stele/internal/bls"
	"github.com/stele-os/stele/internal/bundle"
	"github.com/stele-os/stele/internal/uki"
)

// Entry is one of our boot entries on the ESP.
type Entry struct {
	File      string
	SizeBytes int64
	Name      bls.Name
	// Version is what the UKI itself says (os-release(5), IMAGE_VERSION).
	Version string
	// SecurityVersion as it says there, too; 0 where it says none.
	SecurityVersion int64
	// RootHash is the one on its command line, hex.
	RootHash string
	// Err says why the UKI cannot be read.
	Err error
}

// temporarySuffix ends the name of an entry that is being written: the loader takes *.efi only (UAPI.1).
const temporarySuffix = ".new"

// ownName tells whether a file is one of our boot entries, and takes its name apart.
func ownName(file string) (bls.Name, bool) {
	n, err := bls.ParseName(file)
	return n, err == nil && n.Prefix == EntryPrefix
}

// isTemporary tells whether a file is an entry whose writing has not ended.
func isTemporary(file string) bool {
	stem, found := strings.CutSuffix(file, temporarySuffix)
	_, own := ownName(stem)
	return found && own
}

// readEntry looks into a UKI: at its headers, os-release and command line, whatever the size of its kernel.
func readEntry(file string, name bls.Name, r io.ReaderAt, sizeBytes int64) Entry {
	e := Entry{File: file, SizeBytes: sizeBytes, Name: name}
	sections, err := uki.Read(r, sizeBytes, uki.OSRelease, uki.CommandLine)
	if err != nil {
		e.Err = fmt.Errorf("cannot read boot entry %q: %w", file, err)
		return e
	}
	e.Version = bls.OSReleaseValue(sections[0].Data, "IMAGE_VERSION")
	if e.SecurityVersion, err = bundle.DecodeSecurityVersion(bls.OSReleaseValue(sections[0].Data, bundle.SecurityVersionKey)); err != nil {
		e.Err = fmt.Errorf("cannot read boot entry %q: %w", file, err)
		return e
	}
	if e.RootHash, err = rootHashOf(sections[1].Data); err != nil {
		e.Err = fmt.Errorf("cannot read boot entry %q: %w", file, err)
	}
	return e
}

var errNoVerity = errors.New("its command line opens no verity device")

// rootHashOf finds the root hash on a kernel command line, and holds the PARTUUIDs there against it: the entry boots only where they agree.
//
//	dm-mod.create="<name>,<uuid>,<minor>,<flags>,<start> <len> verity <version> <data> <hash> <bs> <bs> <n> <start> <alg> <digest> <salt> ..."
//
// (kernel, admin-guide/device-mapper/dm-init.rst and verity.rst, "Construction Parameters").
func rootHashOf(commandLine []byte) (string, error) {
	line := strings.TrimRight(string(commandLine), "\x00")
	value, ok := system.DecodeCommandLine(line).Value("dm-mod.create")
	if !ok {
		return "", errNoVerity
	}
	parts := strings.SplitN(value, ",", 5)
	fields := strings.Fields(parts[len(parts)-1])
	if len(parts) != 5 || len(fields) < 13 || fields[2] != "verity" {
		return "", errNoVerity
	}
	rootHash := strings.ToLower(fields[11])
	root, verity, err := halves(rootHash)
	if err != nil {
		return "", err
	}
	if !strings.EqualFold(fields[4], "PARTUUID="+root.String()) || !strings.EqualFold(fields[5], "PARTUUID="+verity.String()) {
		return "", errors.New("its command line names partitions that are not those of its root hash")
	}
	return rootHash, nil
}
