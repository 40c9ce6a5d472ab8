package config

import (
	"fmt"

	"github.com/stele-os/stele/agent/metadata"
	"github.com/stele-os/stele/agent/slotstate"
)

// Names of the records in a slot's directory.
const (
	lastGoodFile = "document/last-good"
	apiFile      = "document/api"
	trialFile    = "document/trial"
)

// kept are the documents of one slot. An error that is fs.ErrNotExist means that there is none.
type kept struct {
	store slotstate.Store
	slot  string
}

func (k kept) lastGood() (metadata.Result, error) {
	return load(k, lastGoodFile, decodeMetadata)
}

func (k kept) keepLastGood(r metadata.Result) error {
	return k.store.Write(k.slot, lastGoodFile, encodeMetadata(r))
}

// api returns the document of the API, or the one on trial.
func (k kept) api(file string) (apiRecord, error) { return load(k, file, decodeAPI) }

func (k kept) keepAPI(file string, r apiRecord) error {
	return k.store.Write(k.slot, file, encodeAPI(r))
}

func (k kept) remove(file string) error { return k.store.Remove(k.slot, file) }

func load[T any](k kept, file string, decode func([]byte) (T, error)) (T, error) {
	var none T
	data, err := k.store.Read(k.slot, file, maxRecordBytes)
	if err != nil {
		return none, err
	}
	record, err := decode(data)
	if err != nil {
		return none, fmt.Errorf("cannot read %q: %w", k.store.Dir(k.slot)+"/"+file, err)
	}
	return record, nil
}
