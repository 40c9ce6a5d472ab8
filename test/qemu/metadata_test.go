//go:build qemu

package qemu

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/diskfs/go-diskfs/backend/file"
	"github.com/diskfs/go-diskfs/filesystem/iso9660"

	"github.com/stele-os/stele/internal/fat"
	"github.com/stele-os/stele/internal/oracle"
	"github.com/stele-os/stele/internal/sparse"
	"github.com/stele-os/stele/internal/vm"
	"github.com/stele-os/stele/test/imds"
	"github.com/stele-os/stele/test/qemu/machine"
	"github.com/stele-os/stele/test/scratch"
)

var seed = imds.NoCloud{UserData: machine.DemoDocument, InstanceID: "i-1", Hostname: "seeded"}

func TestNoCloudISO(t *testing.T) {
	t.Parallel()
	iso := vm.Disk{Path: isoVolume(t, "CIDATA"), Bus: "cdrom"}
	expectDocument(t, machine.Options{Disks: []vm.Disk{iso}}, `^nocloud .*iso9660`)
}

func TestNoCloudFAT(t *testing.T) {
	t.Parallel()
	volume := vm.Disk{Path: fatVolume(t, "cidata"), ReadOnly: true}
	expectDocument(t, machine.Options{Disks: []vm.Disk{volume}}, `^nocloud .*vfat`)
}

func TestNoCloudHTTP(t *testing.T) {
	t.Parallel()
	expectDocument(t, machine.Options{
		SMBIOS:        vm.SMBIOS{Serial: "ds=nocloud;s=http://10.0.2.100/"},
		GuestForwards: []vm.GuestForward{serve(t, "10.0.2.100:80", seed)},
	}, `^nocloud .*http://10\.0\.2\.100/`)
}

func TestEC2(t *testing.T) {
	t.Parallel()
	service := &imds.EC2{UserData: machine.DemoDocument, InstanceID: "i-0123456789abcdef0", Hostname: "ip-10-0-0-1"}
	expectDocument(t, machine.Options{
		SMBIOS: vm.SMBIOS{BIOSVendor: "Amazon EC2", Manufacturer: "Amazon EC2", UUID: "ec2e1916-9099-7caf-fd21-012345abcdef"},
		Net:    "169.254.169.0/24", GuestForwards: []vm.GuestForward{serve(t, "169.254.169.254:80", service)},
	}, `^ec2 `)
	if !slices.Contains(service.Reads(), "/latest/user-data") {
		t.Errorf("the service was asked for %q", service.Reads())
	}
}

// A machine of its own, without cloud or hypervisor, finds the file on the ESP of its boot disk.
func TestMetal(t *testing.T) {
	t.Parallel()
	dir := scratch.Dir(t)
	disk, source := filepath.Join(dir, "metal.raw"), filepath.Join(dir, "config.yaml")
	if err := sparse.Copy(t.Context(), disk, image.File("disk.raw")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(source, machine.DemoDocument, 0o644); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(disk)
	if err != nil {
		t.Fatal(err)
	}
	esp := fmt.Sprintf("%s@@%d", disk, partition(t, f, "esp"))
	f.Close()
	oracle.Run(t, "mmd", "-i", esp, "::stele")
	oracle.Run(t, "mcopy", "-i", esp, source, "::stele/config.yaml")
	expectDocument(t, machine.Options{Dir: dir, Disk: disk}, `^metal .*/stele/config\.yaml on /dev/vda1`)
}

// expectDocument boots without fw_cfg: the demo serves, and the report says where its document came from.
func expectDocument(t *testing.T, o machine.Options, platform string) {
	t.Helper()
	o.Direct = true
	g := boot(t, o)
	g.serving()
	g.expect(`^stele: platform: ` + strings.TrimPrefix(platform, "^"))
}

// isoVolume writes the seed as an ISO 9660 volume.
func isoVolume(t *testing.T, label string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "seed.iso")
	backend, err := file.CreateFromPath(path, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	fs, err := iso9660.Create(backend, 1<<20, 0, 2048, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range seedFiles() {
		f, err := fs.OpenFile("/"+name, os.O_CREATE|os.O_RDWR)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write(content); err != nil {
			t.Fatal(err)
		}
	}
	if err := fs.Finalize(iso9660.FinalizeOptions{RockRidge: true, VolumeIdentifier: label}); err != nil {
		t.Fatal(err)
	}
	return path
}

// fatVolume writes the seed as a FAT volume.
func fatVolume(t *testing.T, label string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "seed.fat")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	const size = 64 << 20
	var files []fat.File
	for name, content := range seedFiles() {
		files = append(files, fat.File{Path: name, Size: int64(len(content)), Open: func() (io.ReadCloser, error) {
			return io.NopCloser(bytes.NewReader(content)), nil
		}})
	}
	if err := f.Truncate(size); err != nil {
		t.Fatal(err)
	}
	if err := fat.Write(f, fat.Params{SizeBytes: size, Label: label, VolumeID: 1, Time: time.Unix(1e9, 0).UTC()}, files); err != nil {
		t.Fatal(err)
	}
	return path
}

func seedFiles() map[string][]byte {
	return map[string][]byte{"user-data": seed.UserData, "meta-data": seed.Meta()}
}
