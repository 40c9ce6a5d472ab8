package config

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"time"

	"github.com/stele-os/stele/agent/metadata"
)

// A record is a document as it lies on disk:
//
//	<magic> sha256:<64 hex digits>\n    digest of everything behind this line
//	<head, JSON>\n
//	<document>
//
// One file, so that document and digest cannot be of two minds after a power cut. The magic says which head follows: that of metadata
// (metadata.Result without UserData), or that of the API.
const (
	metadataMagic = "stele-last-good v1 "
	apiMagic      = "stele-api-document v1 "
)

// maxRecordBytes bounds what is read of a record: the largest document, and a head.
const maxRecordBytes = metadata.MaxDocumentBytes + 64<<10

// metadataHead is the second line of a last good document.
type metadataHead struct {
	Platform   string `json:"platform"`
	Origin     string `json:"origin"`
	Hostname   string `json:"hostname,omitempty"`
	InstanceID string `json:"instanceID,omitempty"`
}

// apiHead is the second line of a document of the API.
type apiHead struct {
	// Caller is who applied it, Time when.
	Caller string    `json:"caller"`
	Time   time.Time `json:"time"`
	// RevertAt is a trial's deadline, for people only: what counts is that a trial never outlives its boot.
	RevertAt time.Time `json:"revertAt,omitzero"`
	// Platform, Hostname and InstanceID are what metadata had said by then, so that the next boot need not wait for it.
	Platform   string `json:"platform,omitempty"`
	Hostname   string `json:"hostname,omitempty"`
	InstanceID string `json:"instanceID,omitempty"`
	// Metadata is the digest of the document that metadata held by then; empty: unknown.
	Metadata string `json:"metadata,omitempty"`
}

// apiRecord is a document of the API.
type apiRecord struct {
	apiHead
	Document []byte
}

var errTorn = errors.New("it is torn: its digest does not match")

func encodeRecord(magic string, head any, document []byte) []byte {
	line, _ := json.Marshal(head) // strings and times of this century: cannot fail
	body := append(append(line, '\n'), document...)
	return append([]byte(magic+digest(body)+"\n"), body...)
}

func decodeRecord(magic string, data []byte, head any) (document []byte, err error) {
	line, body, _ := bytes.Cut(data, []byte("\n"))
	if string(line) != magic+digest(body) {
		return nil, errTorn
	}
	headLine, document, _ := bytes.Cut(body, []byte("\n"))
	return document, json.Unmarshal(headLine, head)
}

// encodeMetadata is the inverse of decodeMetadata (FuzzRecord).
func encodeMetadata(r metadata.Result) []byte {
	return encodeRecord(metadataMagic, metadataHead{r.Platform, r.Origin, r.Hostname, r.InstanceID}, r.UserData)
}

func decodeMetadata(data []byte) (metadata.Result, error) {
	var head metadataHead
	document, err := decodeRecord(metadataMagic, data, &head)
	if err != nil {
		return metadata.Result{}, err
	}
	return metadata.Result{
		Platform: head.Platform, Origin: head.Origin, Hostname: head.Hostname, InstanceID: head.InstanceID,
		UserData: document,
	}, nil
}

// encodeAPI is the inverse of decodeAPI (FuzzAPIRecord).
func encodeAPI(r apiRecord) []byte { return encodeRecord(apiMagic, r.apiHead, r.Document) }

func decodeAPI(data []byte) (r apiRecord, err error) {
	if r.Document, err = decodeRecord(apiMagic, data, &r.apiHead); err != nil {
		return apiRecord{}, err
	}
	return r, nil
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return "sha256:" + hex.EncodeToString(sum[:])
}
