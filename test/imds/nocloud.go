package imds

import (
	"fmt"
	"net/http"
)

// NoCloud serves a NoCloud seed: the files user-data and meta-data directly below the URL at which it is mounted.
type NoCloud struct {
	// UserData nil: there is no such file.
	UserData []byte
	// MetaData nil: made of InstanceID and Hostname; no file where both are empty.
	MetaData   []byte
	InstanceID string
	Hostname   string
}

// ServeHTTP implements http.Handler.
func (n NoCloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var body []byte
	switch r.URL.Path {
	case "/user-data":
		body = n.UserData
	case "/meta-data":
		body = n.Meta()
	}
	if body == nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	_, _ = w.Write(body)
}

// Meta is the meta-data file.
func (n NoCloud) Meta() []byte {
	if n.MetaData != nil || n.InstanceID == "" && n.Hostname == "" {
		return n.MetaData
	}
	return fmt.Appendf(nil, "instance-id: %q\nlocal-hostname: %q\n", n.InstanceID, n.Hostname)
}
