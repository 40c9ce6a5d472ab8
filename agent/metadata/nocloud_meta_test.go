package metadata

import (
	"strings"
	"testing"
)

func TestDecodeMetaData(t *testing.T) {
	both := metaData{InstanceID: "i-1", Hostname: "web-1"}
	for name, c := range map[string]struct {
		file string
		want metaData
		err  string
	}{
		"both":             {"instance-id: i-1\nlocal-hostname: web-1\n", both, ""},
		"JSON":             {` {"instance-id": "i-1", "local-hostname": "web-1", "x": [1]}`, both, ""},
		"quotes":           {"'instance-id': 'i-1'\n\"local-hostname\": \"web-1\"", both, ""},
		"carriage returns": {"instance-id: i-1\r\nlocal-hostname: web-1\r\n", both, ""},
		"comments":         {"# x\ninstance-id: i-1 # y\n---\nlocal-hostname: web-1", both, ""},
		"other keys": {"public-keys:\n  - ssh-ed25519 A\nnetwork-interfaces: |\n  instance-id: no\n  auto eth0\n" +
			"instance-id: i-1\nlocal-hostname: web-1\n", both, ""},
		"a number": {"instance-id: 7\n", metaData{InstanceID: "7"}, ""},
		"nothing":  {"", metaData{}, ""},
		"twice":    {"instance-id: a\ninstance-id: b\n", metaData{}, `key "instance-id" stands there twice`},
		"a list":   {"instance-id: [a]\n", metaData{}, "cannot decode NoCloud meta-data"},
		"long":     {"instance-id: " + strings.Repeat("a", 2000), metaData{}, "more than 1024 bytes"},
		"not JSON": {"{instance-id: a}", metaData{}, "cannot decode NoCloud meta-data"},
	} {
		got, err := decodeMetaData([]byte(c.file))
		if got != c.want || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	for _, hostile := range []string{strings.Repeat("[", maxFieldBytes), strings.Repeat("a:\n", maxFieldBytes/3), "{" + strings.Repeat("[", maxFieldBytes)} {
		if m, _ := decodeMetaData([]byte(hostile)); m != (metaData{}) {
			t.Errorf("%.10q...: %+v", hostile, m)
		}
	}
}
