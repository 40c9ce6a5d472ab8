package config

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"

	"github.com/stele-os/stele/agent/metadata"
)

// A record is a last good document as it lies on disk:
//
//	stele-last-good v1 sha256:<64 hex digits>\n    digest of everything behind this line
//	<metadata.Result without UserData, JSON>\n
//	<user-data>
//
// One file, so that document and digest cannot be of two minds after a power cut.
const recordMagic = "stele-last-good v1 "

// recordHead is the second line.
type recordHead struct {
	Platform   string `json:"platform"`
	Origin     string `json:"origin"`
	Hostname   string `json:"hostname,omitempty"`
	InstanceID string `json:"instanceID,omitempty"`
}

var errTorn = errors.New("it is torn: its digest does not match")

// encodeRecord is the inverse of decodeRecord (FuzzRecord).
func encodeRecord(r metadata.Result) []byte {
	head, _ := json.Marshal(recordHead{r.Platform, r.Origin, r.Hostname, r.InstanceID}) // strings only: cannot fail
	body := append(append(head, '\n'), r.UserData...)
	return append([]byte(recordMagic+digest(body)+"\n"), body...)
}

func decodeRecord(data []byte) (metadata.Result, error) {
	line, body, _ := bytes.Cut(data, []byte("\n"))
	if string(line) != recordMagic+digest(body) {
		return metadata.Result{}, errTorn
	}
	headLine, userData, _ := bytes.Cut(body, []byte("\n"))
	var head recordHead
	if err := json.Unmarshal(headLine, &head); err != nil {
		return metadata.Result{}, err
	}
	return metadata.Result{
		Platform: head.Platform, Origin: head.Origin, Hostname: head.Hostname, InstanceID: head.InstanceID,
		UserData: userData,
	}, nil
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return "sha256:" + hex.EncodeToString(sum[:])
}
