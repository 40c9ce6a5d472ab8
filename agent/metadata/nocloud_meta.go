package metadata

import (
	"fmt"

	"github.com/goccy/go-yaml"
)

// metaData is what we take from NoCloud's meta-data file. Other keys are cloud-init's and are passed over.
type metaData struct {
	InstanceID string `yaml:"instance-id"`
	Hostname   string `yaml:"local-hostname"`
}

// decodeMetaData decodes the YAML file. Empty bytes are a machine without meta-data.
// The YAML library is known to panic on some malformed input; in PID 1 a panic is a reboot, so here it becomes an error.
func decodeMetaData(raw []byte) (m metaData, err error) {
	defer func() {
		if p := recover(); p != nil {
			m, err = metaData{}, fmt.Errorf("cannot decode NoCloud meta-data: %v", p)
		}
	}()
	if len(raw) == 0 {
		return metaData{}, nil
	}
	if err := yaml.Unmarshal(raw, &m); err != nil {
		return metaData{}, fmt.Errorf("cannot decode NoCloud meta-data: %w", err)
	}
	return m, nil
}
