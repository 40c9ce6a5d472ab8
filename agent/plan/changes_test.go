package plan

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestChanges(t *testing.T) {
	base := Desired{
		Hostname:   "a",
		Sysctls:    []Sysctl{{"a.a", "1"}, {"a.b", "1"}},
		Network:    Network{Links: []Link{{Name: "eth0"}, {MACAddress: "52:54:00:00:00:01"}}, Nameservers: []netip.Addr{netip.MustParseAddr("192.0.2.53")}},
		Registries: []Registry{{Host: "r.example.com"}},
		Volumes:    []Volume{{Name: "v", Kind: VolumePersistent}},
		API:        API{Port: 7835, ClientCAs: "x"},
		Update:     Update{Probation: time.Second, Checks: []Check{{Name: "c"}}},
		Containers: []Container{{Name: "web", Image: "web:1", Env: []string{"PASSWORD=hunter2"}}, {Name: "tool"}},
	}
	for name, c := range map[string]struct {
		change func(*Desired)
		want   []string
	}{
		"nothing":  {func(*Desired) {}, nil},
		"hostname": {func(d *Desired) { d.Hostname = "b" }, []string{`hostname: "a" becomes "b"`}},
		"sysctls":  {func(d *Desired) { d.Sysctls = []Sysctl{{"a.b", "2"}, {"a.c", "3"}} }, []string{"sysctl a.a: no longer set", `sysctl a.b: "1" becomes "2"`, `sysctl a.c: set to "3"`}},
		"links": {func(d *Desired) {
			d.Network.Links = []Link{{Name: "eth0", MTUBytes: 9000, DHCP4: true}, {Name: "eth1"}}
		}, []string{"network link 52:54:00:00:00:01: removed", "network link eth0: changed (dhcp4, mtuBytes)", "network link eth1: added"}},
		"name servers":     {func(d *Desired) { d.Network.Nameservers, d.Time.Servers = nil, []string{"t"} }, []string{"network: changed (nameservers)", "time: changed (servers)"}},
		"registry, volume": {func(d *Desired) { d.Registries, d.Volumes = []Registry{{Host: "r.example.com", CA: "y"}}, nil }, []string{"registry r.example.com: changed (ca)", "volume v: removed"}},
		"api ends":         {func(d *Desired) { d.API = API{} }, []string{"api: no longer listens, so this change cannot be taken back by way of it"}},
		"api moves":        {func(d *Desired) { d.API = API{Port: 1, ClientCAs: "y"} }, []string{"api: changed (port, clientCAs)"}},
		"update": {func(d *Desired) {
			d.Update = Update{Probation: 2, Checks: []Check{{Name: "c", HTTP: "u"}, {Name: "d"}}}
		}, []string{"update check c: changed (http)", "update check d: added", "update: changed (probation)"}},
		"containers": {func(d *Desired) {
			d.Containers = []Container{{Name: "web", Image: "web:2", Env: []string{"PASSWORD=hunter3"}}, {Name: "new"}}
		}, []string{"container new: added", "container tool: removed", "container web: changed (image, env); it is started anew"}},
		"order of the list": {func(d *Desired) { d.Containers = []Container{d.Containers[1], d.Containers[0]} }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			to := base
			c.change(&to)
			got := Changes(base, to)
			if !slices.Equal(got, c.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
			if strings.Contains(strings.Join(got, " "), "hunter") {
				t.Error("a secret is told")
			}
		})
	}
	if got := Changes(Desired{}, Desired{API: API{Port: 7835, ClientCAs: "x"}}); !slices.Equal(got, []string{"api: listens on port 7835"}) {
		t.Errorf("%q", got)
	}
}
