package plan

import (
	"cmp"
	"errors"

	"github.com/stele-os/stele/api/v1alpha1"
)

const (
	// PersistentVolumesPath holds one directory per persistent volume, on /var.
	PersistentVolumesPath = "/var/lib/stele/volumes"
	// EmptyDirVolumesPath holds one tmpfs per emptyDir volume.
	EmptyDirVolumesPath = "/run/stele/volumes"

	defaultEmptyDirSize = "64Mi"
)

func planVolumes(docs []v1alpha1.Volume) ([]Volume, error) {
	var planned []Volume
	for _, doc := range docs {
		volume, err := planVolume(doc)
		if err != nil {
			return nil, cannot("volume", doc.Name, err)
		}
		planned = append(planned, volume)
	}
	return planned, nil
}

func planVolume(doc v1alpha1.Volume) (Volume, error) {
	switch {
	case doc.Persistent != nil:
		return Volume{Name: doc.Name, Kind: VolumePersistent, Path: PersistentVolumesPath + "/" + doc.Name}, nil
	case doc.EmptyDir != nil:
		size, err := ParseBytes(cmp.Or(doc.EmptyDir.SizeLimit, defaultEmptyDirSize))
		return Volume{Name: doc.Name, Kind: VolumeEmptyDir, Path: EmptyDirVolumesPath + "/" + doc.Name, SizeBytes: size}, err
	case doc.HostPath != nil:
		return Volume{Name: doc.Name, Kind: VolumeHostPath, Path: doc.HostPath.Path}, nil
	}
	return Volume{}, errors.New("it has no source")
}
