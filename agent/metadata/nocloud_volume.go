package metadata

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
)

// noCloudLabel is the label of the volume, in any case (cloud-init documentation, "NoCloud", section "Source 2: Drive with labeled filesystem").
const noCloudLabel = "cidata"

// noCloudVolume reads user-data and meta-data from a volume labelled cidata.
type noCloudVolume struct {
	root     string
	bootDisk string
	mounter  Mounter
}

func (noCloudVolume) Name() string       { return "nocloud" }
func (noCloudVolume) NeedsNetwork() bool { return false }

func (n noCloudVolume) Fetch(ctx context.Context) (Result, error) {
	device, fstype, searched, err := n.find(ctx)
	if err != nil {
		return Result{}, err
	}
	if device == "" {
		where := "no other block device"
		if len(searched) > 0 {
			where = "searched " + strings.Join(searched, ", ")
		}
		return Result{}, fmt.Errorf("NoCloud volume labelled %q (%s): %w", noCloudLabel, where, ErrNotFound)
	}
	return n.read(device, fstype)
}

// find returns the first device that carries the label, and the names of those looked at.
func (n noCloudVolume) find(ctx context.Context) (device, fstype string, searched []string, err error) {
	for _, name := range candidates(n.root, n.bootDisk) {
		if err := ctx.Err(); err != nil {
			return "", "", nil, err
		}
		searched = append(searched, name)
		for _, v := range probe(filepath.Join(n.root, "/dev", name)) {
			if strings.EqualFold(v.label, noCloudLabel) {
				return "/dev/" + name, v.fstype, searched, nil
			}
		}
	}
	return "", "", searched, nil
}

func (n noCloudVolume) read(device, fstype string) (Result, error) {
	result := Result{Platform: "nocloud", Origin: fmt.Sprintf("NoCloud volume %s (%s)", device, fstype)}
	err := withMount(n.root, n.mounter, device, fstype, func(dir string) error {
		raw, err := readFile(filepath.Join(dir, "meta-data"), maxFieldBytes)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		meta, err := decodeMetaData(raw)
		if err != nil {
			return err
		}
		result.Hostname, result.InstanceID = meta.Hostname, meta.InstanceID
		result.UserData, err = readFile(filepath.Join(dir, "user-data"), MaxDocumentBytes)
		if errors.Is(err, fs.ErrNotExist) {
			return errors.New(`cannot read "user-data": the volume has no such file`)
		}
		return err
	})
	if err != nil {
		return Result{}, fmt.Errorf("NoCloud volume %q: %w", device, err)
	}
	return result, nil
}
