package verity

import "fmt"

// sectorSize is what device-mapper tables count in, whatever the disk's sectors are.
const sectorSize = 512

// Table is one device-mapper table line of target "verity" (kernel, admin-guide/device-mapper/verity.rst).
type Table struct {
	// DataDevice and HashDevice as the kernel takes them: "/dev/vda2", "8:2" or "PARTUUID=...".
	DataDevice, HashDevice string
	DataBlocks             int64
	RootHash               Digest
	Salt                   []byte
}

// Line gives the table line. A wrong block panics the machine: behind a boot counter that is the way back to the old version.
func (t Table) Line() string {
	salt := "-"
	if len(t.Salt) > 0 {
		salt = fmt.Sprintf("%x", t.Salt)
	}
	return fmt.Sprintf("0 %d verity 1 %s %s %d %d %d 1 %s %x %s 1 panic_on_corruption",
		t.DataBlocks*BlockSize/sectorSize, t.DataDevice, t.HashDevice, BlockSize, BlockSize, t.DataBlocks, algorithm, t.RootHash, salt)
}

// CreateArgument gives the kernel argument that makes the read-only device name before the root is mounted, as /dev/dm-0 if it
// is the first (kernel, admin-guide/device-mapper/dm-init.rst: name,uuid,minor,flags,table).
func (t Table) CreateArgument(name string) string {
	return fmt.Sprintf(`dm-mod.create="%s,,,ro,%s"`, name, t.Line())
}
