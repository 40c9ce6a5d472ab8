package metadata

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
)

// Keys of QEMU's firmware configuration device (-fw_cfg name=opt/stele/config,file=...). QEMU reserves opt/ for users and asks
// for a prefix of one's own below it (docs/specs/fw_cfg.rst).
const (
	fwCfgDocument = "opt/stele/config"
	fwCfgHostname = "opt/stele/hostname"
)

// fwCfg reads the document from QEMU's fw_cfg device as the kernel shows it (CONFIG_FW_CFG_SYSFS).
type fwCfg struct{ root string }

func (fwCfg) Name() string       { return "qemu" }
func (fwCfg) NeedsNetwork() bool { return false }

func (q fwCfg) Fetch(ctx context.Context) (Result, error) {
	if err := ctx.Err(); err != nil {
		return Result{}, err
	}
	document, err := q.read(fwCfgDocument, MaxDocumentBytes)
	if err != nil {
		return Result{}, err
	}
	hostname, err := q.read(fwCfgHostname, maxFieldBytes)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return Result{}, err
	}
	return Result{
		Platform: "qemu",
		Origin:   "fw_cfg " + fwCfgDocument,
		UserData: document,
		Hostname: strings.TrimSpace(string(hostname)),
	}, nil
}

// read looks at the item's size first (kernel, Documentation/ABI/testing/sysfs-firmware-qemu_fw_cfg): its bytes come one by one through an
// I/O port, a MiB in seven seconds under emulation, and the file itself has no size.
func (q fwCfg) read(key string, limit int) ([]byte, error) {
	item := filepath.Join(q.root, "/sys/firmware/qemu_fw_cfg/by_name", key)
	if text, err := readFile(filepath.Join(item, "size"), maxFieldBytes); err == nil {
		if size, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); err == nil && size > int64(limit) {
			return nil, fmt.Errorf("cannot read fw_cfg key %q: %w", key, tooLarge(limit))
		}
	}
	b, err := readFile(filepath.Join(item, "raw"), limit)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("fw_cfg key %q: %w", key, ErrNotFound)
	}
	return b, err
}
