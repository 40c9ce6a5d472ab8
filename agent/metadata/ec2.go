package metadata

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// EC2URL is where every EC2 instance finds its metadata service (EC2 user guide, "Instance metadata service").
const EC2URL = "http://169.254.169.254"

// tokenTTL in seconds: long enough for one round, no longer.
const tokenTTL = "60"

// maxTokenBytes: real tokens have 56 bytes.
const maxTokenBytes = 1024

// ec2 speaks IMDSv2 only: a session token by PUT, then every read carries it. The older, tokenless protocol is never tried,
// because it is what makes server-side request forgery pay.
type ec2 struct {
	client *http.Client
	base   string
}

func (ec2) Name() string       { return "ec2" }
func (ec2) NeedsNetwork() bool { return true }

func (e ec2) Fetch(ctx context.Context) (Result, error) {
	raw, err := request(ctx, e.client, http.MethodPut, e.base+"/latest/api/token",
		http.Header{"X-Aws-Ec2-Metadata-Token-Ttl-Seconds": {tokenTTL}}, maxTokenBytes)
	if err != nil {
		return Result{}, err
	}
	token, err := parseToken(raw)
	if err != nil {
		return Result{}, err
	}
	header := http.Header{"X-Aws-Ec2-Metadata-Token": {token}}
	get := func(path string, limit int) ([]byte, error) {
		b, err := request(ctx, e.client, http.MethodGet, e.base+"/latest/"+path, header, limit)
		if hasStatus(err, http.StatusNotFound) {
			return nil, nil // the service answers 404 for what this instance does not have, user data included
		}
		return b, err
	}
	document, err := get("user-data", MaxDocumentBytes)
	if err != nil {
		return Result{}, err
	}
	id, err := get("meta-data/instance-id", maxFieldBytes)
	if err != nil {
		return Result{}, err
	}
	hostname, err := get("meta-data/local-hostname", maxFieldBytes)
	if err != nil {
		return Result{}, err
	}
	return Result{
		Platform:   "ec2",
		Origin:     "EC2 instance metadata service " + e.base,
		UserData:   document,
		Hostname:   parseField(hostname),
		InstanceID: parseField(id),
	}, nil
}

// parseToken checks that the answer can be a header's value; anything else is not the metadata service.
func parseToken(raw []byte) (string, error) {
	token := strings.TrimSpace(string(raw))
	if token == "" {
		return "", errors.New("cannot use the metadata token: empty")
	}
	for _, c := range []byte(token) {
		if c <= ' ' || c > '~' {
			return "", fmt.Errorf("cannot use the metadata token: byte 0x%02x in it", c)
		}
	}
	return token, nil
}

// parseField takes the first word of a metadata field: a VPC with several domains answers with several names (EC2 user guide).
func parseField(raw []byte) string {
	words := strings.Fields(string(raw))
	if len(words) == 0 {
		return ""
	}
	return words[0]
}
