package metadata

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// machine is a fake root directory: sysfs, device nodes as plain files, and a mounter that knows what is on each device.
type machine struct {
	t       *testing.T
	root    string
	mounter *fakeMounter
}

func newMachine(t *testing.T) *machine {
	return &machine{t: t, root: t.TempDir(), mounter: &fakeMounter{files: map[string]map[string][]byte{}}}
}

func (m *machine) write(path string, content []byte) {
	m.t.Helper()
	path = filepath.Join(m.root, path)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		m.t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o644); err != nil {
		m.t.Fatal(err)
	}
}

// dmi sets one SMBIOS field.
func (m *machine) dmi(name, value string) {
	m.write("/sys/class/dmi/id/"+name, []byte(value+"\n"))
}

// disk adds a block device with these first bytes and these files.
func (m *machine) disk(name string, head []byte, files map[string][]byte) {
	m.write("/sys/block/"+name+"/size", []byte("8192\n"))
	m.write("/dev/"+name, head)
	m.mounter.files["/dev/"+name] = files
}

// fakeMounter copies a device's files to the target and takes them away again.
type fakeMounter struct {
	files   map[string]map[string][]byte
	broken  bool
	mounted map[string]bool
	mounts  []string
}

func (f *fakeMounter) Mount(device, fstype, target string) error {
	files, ok := f.files[device]
	if f.broken || !ok {
		return errors.New("input/output error")
	}
	for name, content := range files {
		path := filepath.Join(target, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, content, 0o644); err != nil {
			return err
		}
	}
	if f.mounted == nil {
		f.mounted = map[string]bool{}
	}
	f.mounted[target] = true
	f.mounts = append(f.mounts, device+" "+fstype)
	return nil
}

func (f *fakeMounter) Unmount(target string) error {
	if !f.mounted[target] {
		return errors.New("invalid argument")
	}
	delete(f.mounted, target)
	entries, err := os.ReadDir(target)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := os.RemoveAll(filepath.Join(target, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

// isoHead is the beginning of an ISO 9660 image with a label.
func isoHead(label string) []byte {
	b := make([]byte, 17*2048)
	pvd := b[isoDescriptors:]
	pvd[0] = isoPrimary
	copy(pvd[1:], isoStandardName)
	copy(pvd[isoLabelOffset:], label+"                                "[:isoLabelLength-len(label)])
	return b
}

// smallFAT is fatHead with a root directory of 16 entries right behind a table of one sector.
func smallFAT(boot, root string) []byte {
	b := fatHead(boot, root)
	entries := b[(1+2*16)*512:][:512]
	b[16], b[17], b[18], b[22] = 1, 16, 0, 1
	return append(b[:1024:1024], entries...)
}

// fat32Head is fatHead for FAT32: the root directory is a cluster chain, here cluster 3.
func fat32Head(boot, root string) []byte {
	b := fatHead("", "")
	b[14], b[16], b[17], b[18], b[22] = 2, 1, 0, 0, 0
	b[36], b[38] = 4, 0 // sectors of the table
	clear(b[43:62])
	b[44] = 3
	b[66] = 0x29
	copy(b[71:], boot+"           "[:11-len(boot)]+"FAT32   ")
	entry := b[(2+4+4)*512:]
	copy(entry, root+"           "[:11-len(root)])
	entry[11] = 0x08
	return b
}

// fatHead is the beginning of a FAT16 volume whose boot sector and root directory carry these labels.
func fatHead(boot, root string) []byte {
	b := make([]byte, 64<<10)
	copy(b, []byte{0xeb, 0x3c, 0x90})
	b[11], b[12] = 0, 2 // 512
	b[13] = 4
	b[14] = 1
	b[16] = 2
	b[17], b[18] = 0, 2 // 512 entries
	b[22] = 16
	b[38] = 0x29
	copy(b[43:], boot+"           "[:11-len(boot)]+"FAT16   ")
	b[510], b[511] = 0x55, 0xaa
	if root != "" {
		entry := b[(1+2*16)*512:]
		copy(entry, root+"           "[:11-len(root)])
		entry[11] = 0x08
	}
	return b
}
