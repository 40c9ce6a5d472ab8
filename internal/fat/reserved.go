package fat

import "fmt"

// writeReserved writes boot sector and FSInfo and their copies (fatgen103, "Boot Sector and BPB", "FAT32 FSInfo Sector Structure").
// nextFree is the first cluster not in use.
func (v writer) writeReserved(nextFree uint32) error {
	boot, err := v.encodeBootSector()
	if err != nil {
		return err
	}
	info := v.encodeFSInfo(nextFree)
	for _, first := range []int64{0, backupBootSector} {
		if err := v.writeAt(append(boot[:sectorSize:sectorSize], info...), first*sectorSize, "boot sector"); err != nil {
			return err
		}
	}
	return nil
}

// backupBootSector is BPB_BkBootSec; fatgen103 recommends no other value.
const backupBootSector = 6

func (v writer) encodeBootSector() ([]byte, error) {
	label, err := encodeLabel(v.params.Label)
	if err != nil {
		return nil, err
	}
	g, b := v.geometry, make([]byte, sectorSize)
	copy(b[0:], []byte{0xeb, 0x58, 0x90}) // BS_jmpBoot: over the BPB, into the halt loop below
	copy(b[3:], "MSWIN4.1")               // BS_OEMName: the value fatgen103 recommends
	le.PutUint16(b[11:], sectorSize)
	b[13] = byte(g.sectorsPerCluster)
	le.PutUint16(b[14:], uint16(g.reserved))
	b[16] = tables
	b[21] = 0xf8              // BPB_Media: fixed disk
	le.PutUint16(b[24:], 63)  // BPB_SecPerTrk
	le.PutUint16(b[26:], 255) // BPB_NumHeads
	le.PutUint32(b[28:], v.params.HiddenSectors)
	le.PutUint32(b[32:], g.sectors)
	le.PutUint32(b[36:], g.tableSectors)
	le.PutUint32(b[44:], rootCluster)
	le.PutUint16(b[48:], 1) // BPB_FSInfo
	le.PutUint16(b[50:], backupBootSector)
	b[64] = 0x80 // BS_DrvNum
	b[66] = 0x29 // BS_BootSig: the next three fields are there
	le.PutUint32(b[67:], v.params.VolumeID)
	copy(b[71:], label[:])
	copy(b[82:], "FAT32   ")
	copy(b[90:], []byte{0xf4, 0xeb, 0xfd}) // hlt; jmp to it: nothing here boots by BIOS
	b[510], b[511] = 0x55, 0xaa
	return b, nil
}

// Signatures of FSInfo: FSI_LeadSig, FSI_StrucSig.
const (
	infoLead      = 0x41615252
	infoStructure = 0x61417272
)

func (v writer) encodeFSInfo(nextFree uint32) []byte {
	b := make([]byte, sectorSize)
	le.PutUint32(b[0:], infoLead)
	le.PutUint32(b[484:], infoStructure)
	le.PutUint32(b[488:], v.geometry.clusters-(nextFree-2)) // FSI_Free_Count
	le.PutUint32(b[492:], nextFree)                         // FSI_Nxt_Free
	le.PutUint32(b[508:], 0xaa550000)
	return b
}

// noLabel stands in the boot sector of a volume without label (fatgen103, BS_VolLab).
const noLabel = "NO NAME    "

func encodeLabel(label string) (b [11]byte, err error) {
	if label == "" {
		label = noLabel
	}
	if len(label) > len(b) {
		return b, fmt.Errorf("cannot encode volume label %q: it has more than %d bytes", label, len(b))
	}
	copy(b[:], noLabel[7:]+noLabel[7:]+noLabel[7:])
	for i := range len(label) {
		if c := label[i]; !isLetterOrDigit(c) && c != '_' && c != '-' && c != ' ' {
			return b, fmt.Errorf("cannot encode volume label %q: %q is not allowed in it", label, c)
		}
		b[i] = label[i]
	}
	return b, nil
}

func isLetterOrDigit(c byte) bool {
	return '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z'
}
