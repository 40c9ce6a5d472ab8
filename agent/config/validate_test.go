package config

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"strconv"
	"strings"
	"testing"

	"github.com/stele-os/stele/agent/plan"
	"github.com/stele-os/stele/api/v1alpha1"
)

// Each case is the spec of a document and its problems without place, in order.
func TestValidate(t *testing.T) {
	const web = "containers: [{name: web, image: web, "
	ca, leaf := testCA(t, true), testCA(t, false)
	for name, c := range map[string]struct{ spec, want string }{
		"hostname":             {`hostname: web-1.example.com`, ``},
		"hostname, case":       {`hostname: Web`, `spec.hostname: "Web" is not a host name`},
		"hostname, long":       {`hostname: ` + strings.Repeat("a.", 32) + "b", `spec.hostname: has 65 characters, the kernel takes 64`},
		"time server":          {`time: {servers: ["t.example.com", "192.0.2.1", "2001:db8::1", "a b"]}`, `spec.time.servers[3]: "a b" is neither an address nor a host name`},
		"sysctl":               {`sysctls: {net.ipv4.conf.eth0/5.forwarding: "1"}`, ``},
		"sysctl, path":         {`sysctls: {"../x.y": "1"}`, `spec.sysctls["../x.y"]: is not the name of a kernel parameter`},
		"sysctl, one word":     {`sysctls: {somaxconn: "1"}`, `spec.sysctls["somaxconn"]: is not the name of a kernel parameter`},
		"sysctl, empty":        {`sysctls: {a.b: ""}`, `spec.sysctls["a.b"]: has no value`},
		"sysctl, two lines":    {`sysctls: {a.b: "1\n2"}`, `spec.sysctls["a.b"]: has a value with a line break`},
		"sysctl, program":      {`sysctls: {kernel.core_pattern: "|/x"}`, `spec.sysctls["kernel.core_pattern"]: would make the kernel run a program`},
		"link":                 {`network: {interfaces: [{name: eth0, addresses: [192.0.2.10/24, "2001:db8::2/64"], routes: [{to: 0.0.0.0/0, via: 192.0.2.1}, {to: "::/0", via: "fe80::1"}], mtu: 9000}], nameservers: [192.0.2.53], searchDomains: [example.com]}`, ``},
		"link, both":           {`network: {interfaces: [{name: a, macAddress: "52:54:00:00:00:01"}]}`, `spec.network.interfaces[0]: has both name and macAddress`},
		"link, neither":        {`network: {interfaces: [{mtu: 1500}]}`, `spec.network.interfaces[0]: has neither name nor macAddress`},
		"link, twins":          {`network: {interfaces: [{name: a}, {name: a}]}`, `spec.network.interfaces[1].name: the link "a" is already used by spec.network.interfaces[0].name`},
		"link, name":           {`network: {interfaces: [{name: a-name-too-long-}]}`, `spec.network.interfaces[0].name: "a-name-too-long-" is not the name of a link`},
		"link, mac":            {`network: {interfaces: [{macAddress: 52-54-00-00-00-01}]}`, `spec.network.interfaces[0].macAddress: "52-54-00-00-00-01" is not a hardware address`},
		"link, ipv6 word":      {`network: {interfaces: [{name: a, ipv6: "on"}]}`, `spec.network.interfaces[0].ipv6: "on" is not one of auto, off`},
		"mtu, small":           {`network: {interfaces: [{name: a, mtu: 576}]}`, `spec.network.interfaces[0].mtu: 576 is out of range: give one from 1280 to 65535`},
		"mtu, small, IPv4":     {`network: {interfaces: [{name: a, mtu: 576, ipv6: "off"}]}`, ``},
		"address, no prefix":   {`network: {interfaces: [{name: a, addresses: [192.0.2.1]}]}`, `spec.network.interfaces[0].addresses[0]: "192.0.2.1" is not an address with its prefix length`},
		"address of a network": {`network: {interfaces: [{name: a, addresses: [192.0.2.0/24]}]}`, `spec.network.interfaces[0].addresses[0]: "192.0.2.0/24" is the address of the network`},
		"address, point to p.": {`network: {interfaces: [{name: a, addresses: [192.0.2.0/31]}]}`, ``},
		"address, multicast":   {`network: {interfaces: [{name: a, addresses: [224.0.0.1/24]}]}`, `spec.network.interfaces[0].addresses[0]: "224.0.0.1/24" is not an address that a link can have`},
		"address, mapped":      {`network: {interfaces: [{name: a, addresses: ["::ffff:192.0.2.1/120"]}]}`, `spec.network.interfaces[0].addresses[0]: "::ffff:192.0.2.1/120" is an IPv4 address written as IPv6`},
		"address, twins":       {`network: {interfaces: [{name: a, addresses: [192.0.2.1/24]}, {name: b, addresses: [192.0.2.1/16]}]}`, `spec.network.interfaces[1].addresses[0]: the address "192.0.2.1" is already used by spec.network.interfaces[0].addresses[0]`},
		"route, host bits":     {`network: {interfaces: [{name: a, routes: [{to: 192.0.2.1/24}]}]}`, `spec.network.interfaces[0].routes[0].to: "192.0.2.1/24" has bits set behind its prefix: did you mean "192.0.2.0/24"?`},
		"route, family":        {`network: {interfaces: [{name: a, routes: [{to: 0.0.0.0/0, via: "fe80::1"}]}]}`, `spec.network.interfaces[0].routes[0].via: the gateway "fe80::1" and the destination "0.0.0.0/0" are not of the same family`},
		"route, out of reach":  {`network: {interfaces: [{name: a, addresses: [192.0.2.10/24], routes: [{to: 0.0.0.0/0, via: 198.51.100.1}]}]}`, `spec.network.interfaces[0].routes[0].via: the gateway "198.51.100.1" is in none of the link's networks`},
		"route, by DHCP":       {`network: {interfaces: [{name: a, routes: [{to: 198.51.100.0/24, via: 192.0.2.1, metric: -1}]}]}`, `spec.network.interfaces[0].routes[0].metric: -1 is negative`},
		"route, words":         {`network: {interfaces: [{name: a, routes: [{to: default}]}]}`, `spec.network.interfaces[0].routes[0].to: "default" is not a destination`},
		"name server by name":  {`network: {nameservers: [ns.example.com]}`, `spec.network.nameservers[0]: "ns.example.com" is not an address`},
		"search domain":        {`network: {searchDomains: ["a b"]}`, `spec.network.searchDomains[0]: "a b" is not a domain name`},
		"registry":             {`registries: [{host: "r.example.com:5000", mirrors: ["m.example.com", "http://127.0.0.1:5000/base"], plainHTTP: true}]`, ``},
		"registry, URL":        {`registries: [{host: "https://r.example.com"}]`, `spec.registries[0].host: "https://r.example.com" is not a registry's host`},
		"registry, no host":    {`registries: [{mirrors: [m.example.com]}]`, `spec.registries[0].host: is missing`},
		"registry, twins":      {`registries: [{host: r.example.com}, {host: r.example.com}]`, `spec.registries[1].host: the host "r.example.com" is already used by spec.registries[0].host`},
		"mirror, ftp":          {`registries: [{host: r.example.com, mirrors: ["ftp://m"]}]`, `spec.registries[0].mirrors[0]: is neither host[:port] nor an http(s) URL`},
		"mirror, password":     {`registries: [{host: r.example.com, mirrors: ["https://u:p@m"]}]`, `spec.registries[0].mirrors[0]: holds a user name or password`},
		"ca, text":             {`registries: [{host: r.example.com, ca: x}]`, `spec.registries[0].ca: holds no PEM certificate`},
		"ca, broken":           {`registries: [{host: r.example.com, ca: "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"}]`, `spec.registries[0].ca: certificate 1 cannot be read`},
		"ca, key":              {`registries: [{host: r.example.com, ca: "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"}]`, `spec.registries[0].ca: holds a private key: take it out`},
		"ca, other block":      {`registries: [{host: r.example.com, ca: "-----BEGIN X-----\nAAAA\n-----END X-----\n"}]`, `spec.registries[0].ca: holds a PEM block "X"`},
		"ca, half of two":      {`registries: [{host: r.example.com, ca: ` + strings.TrimSuffix(ca, `"`) + `-----BEGIN CERTIFICATE-----\nAAAA"}]`, `spec.registries[0].ca: holds 2 PEM blocks, of which 1 can be read`},
		"api":                  {`api: {port: 8443, clientCAs: ` + ca + `}`, ``},
		"api, two CAs":         {`api: {clientCAs: ` + strings.TrimSuffix(ca, `"`) + strings.TrimPrefix(ca, `"`) + `}`, ``},
		"api, nobody":          {`api: {port: 8443}`, `spec.api.clientCAs: is missing: without it nobody may call`},
		"api, port":            {`api: {port: 65536, clientCAs: ` + ca + `}`, `spec.api.port: 65536 is not a port`},
		"api, port is used":    {`api: {clientCAs: ` + ca + `}, ` + web + `ports: [{containerPort: 7835, protocol: UDP}, {containerPort: 7835}]}]`, `spec.containers[0].ports[1].containerPort: the port 7835 is the API's`},
		"api, port is free":    {`api: {port: 7836, clientCAs: ` + ca + `}, ` + web + `ports: [{containerPort: 7835}]}]`, ``},
		"api, not a CA":        {`api: {clientCAs: ` + leaf + `}`, `spec.api.clientCAs: certificate 1 ("CN=test") is not a CA's`},
		"api, key":             {`api: {clientCAs: ` + strings.TrimSuffix(ca, `"`) + `-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n"}`, `spec.api.clientCAs: holds a private key: take it out of the document`},
		"api, text":            {`api: {clientCAs: x}`, `spec.api.clientCAs: holds no PEM certificate`},
		"update":               {`update: {repository: {url: "https://updates.example.com/base/", ca: ` + ca + `, maxRate: 10Mi, checkIntervalSeconds: 3600}, probationSeconds: 60, deadlineSeconds: 600, requireConfirmation: true, checks: [{name: a, httpGet: {port: 80}}, {name: b, exec: {container: web, command: [/check]}}]}, ` + web + `required: false}]`, ``},
		"update, plain HTTP":   {`update: {repository: {url: "http://[2001:db8::1]:8080/r"}}`, ``},
		"update, no probation": {`update: {probationSeconds: 0}`, ``},
		"repository, no URL":   {`update: {repository: {}}`, `spec.update.repository.url: is missing`},
		"repository, ftp":      {`update: {repository: {url: "ftp://a/b"}}`, `spec.update.repository.url: is not an http(s) URL`},
		"repository, no host":  {`update: {repository: {url: "https:///b"}}`, `spec.update.repository.url: is not an http(s) URL`},
		"repository, password": {`update: {repository: {url: "https://u:p@a/b"}}`, `spec.update.repository.url: holds a user name or password`},
		"repository, fragment": {`update: {repository: {url: "https://a/b#c"}}`, `spec.update.repository.url: has a query or fragment`},
		"repository, query":    {`update: {repository: {url: "https://a/b?c"}}`, `spec.update.repository.url: has a query or fragment`},
		"repository, ca":       {`update: {repository: {url: "https://a", ca: x}}`, `spec.update.repository.ca: holds no PEM certificate`},
		"repository, rate":     {`update: {repository: {url: "https://a", maxRate: 0}}`, `spec.update.repository.maxRate: "0" is 0 bytes`},
		"repository, interval": {`update: {repository: {url: "https://a", checkIntervalSeconds: 5}}`, `spec.update.repository.checkIntervalSeconds: 5 is out of range`},
		"update, deadline":     {`update: {deadlineSeconds: 29}`, `spec.update.deadlineSeconds: 29 is out of range: give 30 to 86400`},
		"update, long":         {`update: {deadlineSeconds: 86401}`, `spec.update.deadlineSeconds: 86401 is out of range`},
		"update, default":      {`update: {deadlineSeconds: 30}`, `spec.update.deadlineSeconds: 30 is not more than the probation of 30 s`},
		"probation":            {`update: {probationSeconds: 300}`, `spec.update.probationSeconds: 300 is not less than the deadline of 300 s`},
		"probation, negative":  {`update: {probationSeconds: -1}`, `spec.update.probationSeconds: -1 is negative`},
		"check, none":          {`update: {checks: [{name: a}]}`, `spec.update.checks[0]: needs exactly one of httpGet and exec, it has 0`},
		"check, twins":         {`update: {checks: [{name: a, httpGet: {port: 1}}, {name: a, httpGet: {port: 0}, periodSeconds: -1}]}`, "spec.update.checks[1].name: the name \"a\" is already used by spec.update.checks[0].name\nspec.update.checks[1].httpGet.port: is missing\nspec.update.checks[1].periodSeconds: -1 is out of range"},
		"check, container":     {`update: {checks: [{name: a, exec: {container: b, command: []}, httpGet: {port: 1}}]}`, "spec.update.checks[0].exec.container: there is no container \"b\"\nspec.update.checks[0].exec.command: is missing\nspec.update.checks[0]: needs exactly one of httpGet and exec, it has 2"},
		"volume, none":         {`volumes: [{name: v}]`, `spec.volumes[0]: needs exactly one of persistent, emptyDir and hostPath, it has 0`},
		"volume, two":          {`volumes: [{name: v, persistent: {}, emptyDir: {}}]`, `spec.volumes[0]: needs exactly one of persistent, emptyDir and hostPath, it has 2`},
		"volume, size":         {`volumes: [{name: v, emptyDir: {sizeLimit: 64}}]`, `spec.volumes[0].emptyDir.sizeLimit: "64" is 64 bytes, the least is 4096: is the suffix missing`},
		"volume, name":         {`volumes: [{name: V_1, persistent: {}}]`, `spec.volumes[0].name: "V_1" is not a name of at most 63 lower-case letters`},
		"volume, twins":        {`volumes: [{name: v, persistent: {}}, {name: v, emptyDir: {}}]`, `spec.volumes[1].name: the name "v" is already used by spec.volumes[0].name`},
		"hostPath":             {`volumes: [{name: v, hostPath: {path: /sys}}, {name: w, hostPath: {path: /proc}}]`, ``},
		"hostPath, relative":   {`volumes: [{name: v, hostPath: {path: a}}]`, `spec.volumes[0].hostPath.path: "a" is not an absolute path`},
		"hostPath, dots":       {`volumes: [{name: v, hostPath: {path: /srv/../var}}]`, `spec.volumes[0].hostPath.path: "/srv/../var" is not written plainly: did you mean "/var"?`},
		"hostPath, agent":      {`volumes: [{name: v, hostPath: {path: /var/lib/stele/document}}]`, `spec.volumes[0].hostPath.path: "/var/lib/stele/document" belongs to the agent`},
		"hostPath, all":        {`volumes: [{name: v, hostPath: {path: /}}]`, `spec.volumes[0].hostPath.path: "/" contains /var/lib/stele, which belongs to the agent`},
		"hostPath, neighbour":  {`volumes: [{name: v, hostPath: {path: /var/lib/stele-other}}]`, ``},
		"hostPath, process":    {`volumes: [{name: v, hostPath: {path: /proc/1}}]`, `spec.volumes[0].hostPath.path: lies below /proc`},
		"container, no name":   {`containers: [{image: web}]`, `spec.containers[0].name: is missing`},
		"container, twins":     {`containers: [{name: a, image: x}, {name: a, image: x}]`, `spec.containers[1].name: the name "a" is already used by spec.containers[0].name`},
		"container, no image":  {`containers: [{name: a}]`, `spec.containers[0].image: is missing`},
		"container, image":     {`containers: [{name: a, image: "A:b:c"}]`, `spec.containers[0].image: cannot parse image reference "A:b:c"`},
		"container, baked":     {`containers: [{name: a, image: Baked_Image}]`, ``},
		"container, digest":    {`containers: [{name: a, image: "r.example.com/a@sha256:` + strings.Repeat("0", 64) + `"}]`, ``},
		"pull policy":          {web + `imagePullPolicy: never}]`, `spec.containers[0].imagePullPolicy: "never" is not one of Always, IfNotPresent, Never`},
		"restart policy":       {web + `restartPolicy: always}]`, `spec.containers[0].restartPolicy: "always" is not one of Always, OnFailure, Never`},
		"working directory":    {web + `workingDir: a}]`, `spec.containers[0].workingDir: "a" is not an absolute path`},
		"env, name":            {web + `env: [{name: A=B}, {name: ""}]}]`, "spec.containers[0].env[0].name: \"A=B\" is not the name of a variable\nspec.containers[0].env[1].name: is missing"},
		"env, twins":           {web + `env: [{name: A}, {name: A}]}]`, `spec.containers[0].env[1].name: the name "A" is already used by spec.containers[0].env[0].name`},
		"zero byte":            {web + `args: ["a\0"], command: [""]}]`, "spec.containers[0].command[0]: is empty\nspec.containers[0].args[0]: holds a zero byte"},
		"grace":                {web + `terminationGracePeriodSeconds: -1}]`, `spec.containers[0].terminationGracePeriodSeconds: -1 is out of range`},
		"port":                 {web + `ports: [{containerPort: 0}, {containerPort: 65536}]}]`, "spec.containers[0].ports[0].containerPort: is missing\nspec.containers[0].ports[1].containerPort: 65536 is not a port"},
		"port, protocol":       {web + `ports: [{containerPort: 80, protocol: tcp}]}]`, `spec.containers[0].ports[0].protocol: "tcp" is not one of TCP, UDP`},
		"ports collide":        {`containers: [{name: a, image: x, ports: [{containerPort: 80}]}, {name: b, image: x, ports: [{containerPort: 80, protocol: TCP}, {containerPort: 80, protocol: UDP}]}]`, `spec.containers[1].ports[0].containerPort: the port "80/TCP" is already used by spec.containers[0].ports[0].containerPort`},
		"limits":               {web + `resources: {limits: {cpu: 500m, memory: 64Mi, pids: 100}}}]`, ``},
		"limits, wrong":        {web + `resources: {limits: {cpu: x, memory: 64mb, pids: 0}}}]`, "spec.containers[0].resources.limits.cpu: \"x\" is not a number of cores\nspec.containers[0].resources.limits.memory: \"64mb\" has the unknown suffix \"mb\"\nspec.containers[0].resources.limits.pids: 0 is too few"},
		"limits, nothing":      {web + `resources: {limits: {cpu: 0, memory: 64}}}]`, "spec.containers[0].resources.limits.cpu: must be more than 0\nspec.containers[0].resources.limits.memory: \"64\" is 64 bytes"},
		"probe":                {web + `livenessProbe: {httpGet: {port: 80, path: "/a?b=c", host: "::1"}}, readinessProbe: {exec: {command: [/check]}}}]`, ``},
		"probe, none":          {web + `livenessProbe: {}}]`, `spec.containers[0].livenessProbe: needs exactly one of httpGet, tcpSocket and exec, it has 0`},
		"probe, two":           {web + `livenessProbe: {tcpSocket: {port: 1}, exec: {command: [a]}}}]`, `spec.containers[0].livenessProbe: needs exactly one of httpGet, tcpSocket and exec, it has 2`},
		"probe, details":       {web + `readinessProbe: {httpGet: {port: 0, path: a, host: "a b", scheme: http}, periodSeconds: -1}}]`, "spec.containers[0].readinessProbe.httpGet.scheme: \"http\" is not one of HTTP, HTTPS\nspec.containers[0].readinessProbe.httpGet.port: is missing\nspec.containers[0].readinessProbe.httpGet.host: \"a b\" is neither\nspec.containers[0].readinessProbe.httpGet.path: is not the path of a request\nspec.containers[0].readinessProbe.periodSeconds: -1 is out of range"},
		"probe, exec":          {web + `readinessProbe: {exec: {command: []}}}]`, `spec.containers[0].readinessProbe.exec.command: is missing`},
		"probe, liveness":      {web + `livenessProbe: {tcpSocket: {port: 1}, successThreshold: 2}}]`, `spec.containers[0].livenessProbe.successThreshold: must be 1`},
		"mount":                {`volumes: [{name: v, persistent: {}}], ` + web + `volumeMounts: [{name: v, mountPath: /data}]}]`, ``},
		"mount, no volume":     {web + `volumeMounts: [{name: v, mountPath: /data}]}]`, `spec.containers[0].volumeMounts[0].name: there is no volume "v"`},
		"mount, path":          {`volumes: [{name: v, persistent: {}}], ` + web + `volumeMounts: [{name: v, mountPath: a}, {name: v, mountPath: /}, {name: v, mountPath: /b}, {name: v, mountPath: /b}]}]`, "spec.containers[0].volumeMounts[0].mountPath: \"a\" is not an absolute path\nspec.containers[0].volumeMounts[1].mountPath: \"/\" is made by the runtime\nspec.containers[0].volumeMounts[3].mountPath: the path \"/b\" is already used by"},
		"security":             {web + `securityContext: {runAsUser: 65534, capabilities: {add: [NET_ADMIN], drop: [ALL]}}}]`, ``},
		"security, ids":        {web + `securityContext: {runAsUser: -1, runAsGroup: 4294967295}}]`, "spec.containers[0].securityContext.runAsUser: -1 is not a user or group id\nspec.containers[0].securityContext.runAsGroup: 4294967295 is not a user or group id"},
		"withheld":             {web + `securityContext: {capabilities: {add: [ALL, SYS_BOOT, SYS_RAWIO], drop: [SYS_MODULE]}}}]`, "spec.containers[0].securityContext.capabilities.add[1]: no container can have \"SYS_BOOT\": the machine is restarted by its API; leave it out\nspec.containers[0].securityContext.capabilities.add[2]: no container can have \"SYS_RAWIO\""},
		"capabilities":         {web + `securityContext: {capabilities: {add: [CAP_NET_ADMIN, FLY]}}}]`, "spec.containers[0].securityContext.capabilities.add[0]: write \"CAP_NET_ADMIN\" as \"NET_ADMIN\"\nspec.containers[0].securityContext.capabilities.add[1]: \"FLY\" is not a capability of Linux"},
		"logs":                 {web + `logs: {maxSize: 1, maxFiles: 101}}]`, "spec.containers[0].logs.maxSize: \"1\" is 1 bytes\nspec.containers[0].logs.maxFiles: 101 is out of range"},
	} {
		t.Run(name, func(t *testing.T) {
			doc, problems := Decode([]byte(head+"spec: {"+c.spec+"}"), "f")
			if problems != nil {
				t.Fatal(lines(problems))
			}
			facts := plan.Facts{Image: v1alpha1.ImageInfo{BakedImages: []v1alpha1.BakedImage{{Name: "Baked_Image"}}}}
			expectProblems(t, Validate(doc.Machine, facts), c.want)
			if c.want == "" {
				if _, err := plan.Plan(doc.Machine, facts); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// testCA is a certificate as a quoted YAML string, a CA's or not.
func testCA(t *testing.T, isCA bool) string {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, IsCA: isCA, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return strconv.Quote(string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
}

// expectProblems compares each problem with the beginning of its line in want.
func expectProblems(t *testing.T, problems []Problem, want string) {
	t.Helper()
	var got []string
	for _, p := range problems {
		got = append(got, p.sentence())
	}
	wanted := strings.Split(want, "\n")
	if want == "" {
		wanted = nil
	}
	same := len(got) == len(wanted)
	for i := 0; same && i < len(got); i++ {
		same = strings.HasPrefix(got[i], wanted[i])
	}
	if !same {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), want)
	}
}
