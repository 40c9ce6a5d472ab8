package config

import (
	"encoding/json"
	"strings"
	"testing"
)

// layer decodes a layer whose spec is given.
func layer(t *testing.T, name, spec string) Layer {
	t.Helper()
	doc, problems := Decode([]byte(head+"spec: "+spec), name)
	if problems != nil {
		t.Fatal(lines(problems))
	}
	return Layer{Name: name, Document: doc}
}

func TestMerge(t *testing.T) {
	for name, c := range map[string]struct{ image, user, want string }{
		"scalar replaces":            {`{hostname: a}`, `{hostname: b}`, `{"hostname":"b"}`},
		"what is not set stays":      {`{hostname: a}`, `{time: {servers: [t]}}`, `{"hostname":"a","time":{"servers":["t"]}}`},
		"maps merge by key":          {`{sysctls: {a.b: "1", a.c: "1"}}`, `{sysctls: {a.c: "2", a.d: "2"}}`, `{"sysctls":{"a.b":"1","a.c":"2","a.d":"2"}}`},
		"plain lists replace":        {`{network: {nameservers: [192.0.2.1, 192.0.2.2]}}`, `{network: {nameservers: [192.0.2.3]}}`, `{"network":{"nameservers":["192.0.2.3"]}}`},
		"an empty list replaces":     {`{network: {searchDomains: [a]}}`, `{network: {searchDomains: []}}`, `{"network":{}}`},
		"containers merge by name":   {`{containers: [{name: a, image: x, args: [p]}, {name: b, image: y}]}`, `{containers: [{name: c, image: z}, {name: a, args: [q]}]}`, `{"containers":[{"name":"a","image":"x","args":["q"]},{"name":"b","image":"y"},{"name":"c","image":"z"}]}`},
		"false replaces true":        {`{containers: [{name: a, image: x, hostPID: true}]}`, `{containers: [{name: a, hostPID: false}]}`, `{"containers":[{"name":"a","image":"x"}]}`},
		"nested fields merge":        {`{containers: [{name: a, image: x, resources: {limits: {cpu: 1, memory: 1Mi}}}]}`, `{containers: [{name: a, resources: {limits: {cpu: 2}}}]}`, `{"containers":[{"name":"a","image":"x","resources":{"limits":{"cpu":"2","memory":"1Mi"}}}]}`},
		"checks merge by name":       {`{update: {checks: [{name: a, exec: {container: x, command: [p]}, periodSeconds: 1}, {name: b, httpGet: {port: 1}}]}}`, `{update: {checks: [{name: c, httpGet: {port: 2}}, {name: a, periodSeconds: 2}]}}`, `{"update":{"checks":[{"name":"a","exec":{"container":"x","command":["p"]},"periodSeconds":2},{"name":"b","httpGet":{"port":1}},{"name":"c","httpGet":{"port":2}}]}}`},
		"a repository replaces":      {`{update: {repository: {url: "https://a", ca: x}, deadlineSeconds: 60}}`, `{update: {repository: {url: "https://b"}}}`, `{"update":{"repository":{"url":"https://b"},"deadlineSeconds":60}}`},
		"env is a plain list":        {`{containers: [{name: a, image: x, env: [{name: A, value: "1"}]}]}`, `{containers: [{name: a, env: [{name: B}]}]}`, `{"containers":[{"name":"a","image":"x","env":[{"name":"B"}]}]}`},
		"a probe replaces a probe":   {`{containers: [{name: a, image: x, livenessProbe: {tcpSocket: {port: 1}, periodSeconds: 5}}]}`, `{containers: [{name: a, livenessProbe: {httpGet: {port: 2}}}]}`, `{"containers":[{"name":"a","image":"x","livenessProbe":{"httpGet":{"port":2}}}]}`},
		"a volume replaces a volume": {`{volumes: [{name: v, persistent: {}}]}`, `{volumes: [{name: v, emptyDir: {}}]}`, `{"volumes":[{"name":"v","emptyDir":{}}]}`},
		"interfaces by name":         {`{network: {interfaces: [{name: eth0, mtu: 1400}]}}`, `{network: {interfaces: [{name: eth0, dhcp4: false}, {name: eth1}]}}`, `{"network":{"interfaces":[{"name":"eth0","dhcp4":false,"mtu":1400},{"name":"eth1"}]}}`},
		"interfaces by address":      {`{network: {interfaces: [{macAddress: "52:54:00:AA:00:01", mtu: 1400}]}}`, `{network: {interfaces: [{macAddress: "52:54:00:aa:00:01", ipv6: "off"}]}}`, `{"network":{"interfaces":[{"macAddress":"52:54:00:aa:00:01","ipv6":"off","mtu":1400}]}}`},
		"registries by host":         {`{registries: [{host: r, plainHTTP: true}]}`, `{registries: [{host: r, mirrors: [m]}]}`, `{"registries":[{"host":"r","mirrors":["m"],"plainHTTP":true}]}`},
		"twins stay two":             {`{containers: [{name: a, image: x}]}`, `{volumes: [{name: v, persistent: {}}, {name: v, emptyDir: {}}], containers: [{name: b, image: y}, {name: b, image: z}]}`, `{"volumes":[{"name":"v","persistent":{}},{"name":"v","emptyDir":{}}],"containers":[{"name":"a","image":"x"},{"name":"b","image":"y"},{"name":"b","image":"z"}]}`},
	} {
		t.Run(name, func(t *testing.T) {
			merged := Merge([]Layer{layer(t, "image", c.image), layer(t, "user", c.user)})
			got, err := json.Marshal(merged.Machine.Spec)
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

// The origin of a value is the layer that set it last; a value inside a replaced list has no other.
func TestMergeOrigins(t *testing.T) {
	image := layer(t, "image", "\n  hostname: a\n  containers:\n  - name: web\n    image: x\n    env: [{name: A}, {name: B}]\n")
	user := layer(t, "user", "\n  containers:\n  - name: other\n    image: y\n  - name: web\n    env: [{name: C}]\n")
	merged := Merge([]Layer{image, {Name: "platform", Document: platformDocument("VM")}, user})
	for path, want := range map[string]Origin{
		"spec.hostname":                    {"platform", "the platform's metadata", 0, 0},
		"spec.containers[0].name":          {"user", "user", 7, 5},
		"spec.containers[0].image":         {"image", "image", 7, 5},
		"spec.containers[0].env[0].name":   {"user", "user", 8, 12},
		"spec.containers[0].env[1].name":   {},
		"spec.containers[1].image":         {"user", "user", 6, 5},
		"spec.containers[0].restartPolicy": {},
	} {
		if got := merged.Origins[path]; got != want {
			t.Errorf("%s: got %+v, want %+v", path, got, want)
		}
	}
	located := merged.Locate([]Problem{{Path: "spec.containers[0].livenessProbe.httpGet.port", Message: "m"}, {Path: `spec.sysctls["a.b"]`}})
	if got, want := located[1].String(), "user:7:5: spec.containers[0].livenessProbe.httpGet.port: m"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestPlatformHostname(t *testing.T) {
	for given, want := range map[string]string{
		"":                                  "",
		"VM-7":                              "vm-7",
		"vm.example.com.":                   "vm.example.com",
		"vm." + strings.Repeat("zone.", 20): "vm",
		"not a name":                        "not a name", // for Validate to refuse
	} {
		if got := platformDocument(given).Machine.Spec.Hostname; got != want {
			t.Errorf("%q: got %q, want %q", given, got, want)
		}
	}
}
