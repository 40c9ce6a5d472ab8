package metadata

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
)

// metaData is what we take from NoCloud's meta-data file. Other keys are cloud-init's and are passed over.
type metaData struct {
	InstanceID string `yaml:"instance-id" json:"instance-id"`
	Hostname   string `yaml:"local-hostname" json:"local-hostname"`
}

// maxMetaLineBytes bounds a line that is parsed: a host name has at most 253 bytes.
const maxMetaLineBytes = 1024

// decodeMetaData decodes the file, which is YAML, often written as JSON. Empty bytes are a machine without meta-data.
// Of YAML only the lines of our two top-level keys reach the parser, because its time is quadratic in the number of lines and its
// stack unbounded in the depth of nesting (measured in internal/strictyaml), and the rest of the file is none of our business. A flow
// mapping that is not JSON is refused.
func decodeMetaData(raw []byte) (m metaData, err error) {
	defer func() { // the parser has panicked on odd input in the past, and the agent is PID 1
		if p := recover(); p != nil {
			m, err = metaData{}, fmt.Errorf("cannot decode NoCloud meta-data: the parser gave up (%T)", p)
		}
	}()
	text := strings.TrimPrefix(string(raw), "\ufeff")
	if strings.HasPrefix(strings.TrimSpace(text), "{") {
		err = json.Unmarshal([]byte(text), &m)
	} else {
		var ours string
		if ours, err = ourLines(text); err == nil && ours != "" {
			err = yaml.Unmarshal([]byte(ours), &m)
		}
	}
	if err != nil {
		return metaData{}, fmt.Errorf("cannot decode NoCloud meta-data: %w", err)
	}
	return m, nil
}

// ourLines returns the lines of our keys. In block style a key at the beginning of a line is a key of the document: everything nested,
// multi-line strings included, is indented (YAML 1.2.2, sections 6.1 and 8.1).
func ourLines(text string) (string, error) {
	var out strings.Builder
	seen := map[string]bool{}
	for line := range strings.Lines(text) {
		key, _, ok := strings.Cut(line, ":")
		key = strings.Trim(strings.TrimRight(key, " "), `"'`)
		if !ok || key != "instance-id" && key != "local-hostname" {
			continue
		}
		if seen[key] {
			return "", fmt.Errorf("key %q stands there twice", key)
		}
		if len(line) > maxMetaLineBytes {
			return "", fmt.Errorf("the value of %q has more than %d bytes", key, maxMetaLineBytes)
		}
		seen[key] = true
		out.WriteString(strings.TrimRight(line, "\r\n"))
		out.WriteByte('\n')
	}
	return out.String(), nil
}
