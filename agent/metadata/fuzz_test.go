package metadata

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// FuzzLabels: any device may be plugged in.
func FuzzLabels(f *testing.F) {
	f.Add(isoHead("cidata")[isoDescriptors:isoDescriptors+isoLabelOffset+isoLabelLength], true)
	f.Add(smallFAT("NO NAME", "CIDATA"), false)
	f.Add([]byte{}, false)
	f.Fuzz(func(t *testing.T, b []byte, descriptor bool) {
		if descriptor { // the fuzzer need not write 32 KiB first
			b = append(make([]byte, isoDescriptors), b...)
		}
		for _, v := range labels(bytes.NewReader(b)) {
			if len(v.label) > isoLabelLength || v.fstype != "iso9660" && v.fstype != "vfat" {
				t.Fatalf("%+v", v)
			}
		}
	})
}

// FuzzMetaData: NoCloud's meta-data file.
func FuzzMetaData(f *testing.F) {
	f.Add([]byte("instance-id: i-1\nlocal-hostname: web-1\n"))
	f.Add([]byte("instance-id: {a: [1, 2]}\n"))
	f.Add([]byte("{\"instance-id\": 7}"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if m, err := decodeMetaData(b); err != nil && m != (metaData{}) {
			t.Fatalf("%+v with %v", m, err)
		}
	})
}

// FuzzSerial: the SMBIOS serial number.
func FuzzSerial(f *testing.F) {
	f.Add("ds=nocloud;s=http://192.0.2.1:8000/x/;h=web-1;i=i-1")
	f.Add("ds=nocloud-net;s=https://example.com")
	f.Add("ds=nocloud;s=;s=")
	f.Fuzz(func(t *testing.T, serial string) {
		s, err := parseSeed(serial)
		if err != nil {
			return
		}
		u, err := url.Parse(s.base)
		if err != nil || u.Host == "" || u.User != nil || !strings.HasSuffix(s.base, "/") || !namesSeed(serial) {
			t.Fatalf("%q: %+v, %v", serial, s, err)
		}
	})
}

// FuzzEC2: whatever answers at the metadata service's address.
func FuzzEC2(f *testing.F) {
	f.Add([]byte("AQAEAABcCFZ=="), []byte("#document"), []byte("ip-10-0-0-1.ec2.internal example.com"))
	f.Add([]byte("two\nlines"), []byte{}, []byte{})
	f.Add([]byte{}, []byte{0}, []byte(" "))
	f.Fuzz(func(t *testing.T, token, document, hostname []byte) {
		h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body := document
			switch {
			case r.Method == http.MethodPut:
				body = token
			case strings.Contains(r.URL.Path, "meta-data"):
				body = hostname
			}
			_, _ = w.Write(body)
		})
		client := &http.Client{Transport: direct{h}}
		r, err := ec2{client: client, base: "http://192.0.2.1"}.Fetch(t.Context())
		if err == nil && (!bytes.Equal(r.UserData, document) || strings.ContainsAny(r.Hostname, " \t\r\n")) {
			t.Fatalf("%+v", r)
		}
	})
}

// direct answers without a network.
type direct struct{ handler http.Handler }

func (d direct) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	d.handler.ServeHTTP(w, r)
	return w.Result(), nil
}
