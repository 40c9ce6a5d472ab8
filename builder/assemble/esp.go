package assemble

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/stele-os/stele/api/v1alpha1"
	"github.com/stele-os/stele/internal/bootguard"
	"github.com/stele-os/stele/internal/fat"
)

// loaderConf keeps the loader out of the way. It must not hold "default": that would beat boot counting (UAPI.1 and
// systemd-boot(7), "Boot Counting"). The editor would let a person at the console change the command line.
const loaderConf = "timeout 0\neditor no\n"

// loaderPaths are where firmware looks for a removable medium's loader (UEFI 2.10 §3.5.1.1).
var loaderPaths = map[string]string{"x86_64": "EFI/BOOT/BOOTX64.EFI", "arm64": "EFI/BOOT/BOOTAA64.EFI"}

// UKIPath is where the image's UKI lies on the ESP. A factory image has no boot counter in the name: there is nothing to fall
// back to.
func UKIPath(version string) string { return "EFI/Linux/stele_" + version + ".efi" }

// espFiles lists what lies on the ESP.
func espFiles(d Disk) ([]fat.File, error) {
	loaderPath, ok := loaderPaths[d.Info.Architecture]
	if !ok {
		return nil, fmt.Errorf("cannot make ESP: architecture %q is unknown", d.Info.Architecture)
	}
	loader, err := d.SecureBoot.signedFile(loaderPath, d.Loader)
	if err != nil {
		return nil, err
	}
	image, err := hostFile(UKIPath(d.Info.Version), d.UKI)
	if err != nil {
		return nil, err
	}
	guard, err := bootguard.For(d.Info.Architecture)
	if err != nil {
		return nil, err
	}
	driver, err := d.SecureBoot.sign(guard.Path, guard.Image)
	if err != nil {
		return nil, err
	}
	conf := loaderConf + d.SecureBoot.loaderConf()
	files := []fat.File{loader, image, memoryFile("loader/loader.conf", []byte(conf)), memoryFile(guard.Path, driver)}
	return append(append(files, d.SecureBoot.variables()...), d.ESPFiles...), nil
}

func memoryFile(path string, content []byte) fat.File {
	return fat.File{Path: path, Size: int64(len(content)), Open: func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(content)), nil
	}}
}

func hostFile(path, source string) (fat.File, error) {
	info, err := os.Stat(source)
	if err != nil {
		return fat.File{}, fmt.Errorf("cannot take %q for the ESP: %w", source, err)
	}
	return fat.File{Path: path, Size: info.Size(), Open: func() (io.ReadCloser, error) { return os.Open(source) }}, nil
}

// writeESP writes the file system of the ESP.
func writeESP(w io.WriterAt, sizeBytes int64, startSector uint64, info v1alpha1.ImageInfo, volume [16]byte, files []fat.File) error {
	return fat.Write(w, fat.Params{
		SizeBytes: sizeBytes, Label: "ESP", VolumeID: binary.BigEndian.Uint32(volume[:4]), Time: time.Unix(info.BuildTime, 0),
		HiddenSectors: uint32(startSector),
	}, files)
}
