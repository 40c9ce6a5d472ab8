package metadata

import (
	"context"
	"net/http"
)

// noCloudURL reads user-data and meta-data below the URL that the SMBIOS serial number names.
type noCloudURL struct {
	client *http.Client
	seed   seed
}

func (noCloudURL) Name() string       { return "nocloud" }
func (noCloudURL) NeedsNetwork() bool { return true }

func (n noCloudURL) Fetch(ctx context.Context) (Result, error) {
	raw, err := request(ctx, n.client, http.MethodGet, n.seed.base+"meta-data", nil, maxFieldBytes)
	if err != nil && !hasStatus(err, http.StatusNotFound) {
		return Result{}, err
	}
	meta, err := decodeMetaData(raw)
	if err != nil {
		return Result{}, err
	}
	document, err := request(ctx, n.client, http.MethodGet, n.seed.base+"user-data", nil, MaxDocumentBytes)
	if err != nil {
		return Result{}, err
	}
	return Result{
		Platform:   "nocloud",
		Origin:     "NoCloud " + n.seed.base,
		UserData:   document,
		Hostname:   either(meta.Hostname, n.seed.hostname),
		InstanceID: either(meta.InstanceID, n.seed.instance),
	}, nil
}

// either is a, or b where a is empty.
func either(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
