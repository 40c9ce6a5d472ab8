package state

import (
	"strings"
	"testing"

	"github.com/stele-os/stele/agent/plan"
)

func TestHostname(t *testing.T) {
	long := strings.Repeat("a", 63)
	for _, tt := range []struct{ name, desired, leased, want string }{
		{"the document's or platform's comes first", "web-1", "leased", "web-1"},
		{"DHCP's comes before the default", plan.DefaultHostname, "leased", "leased"},
		{"nobody gives one", plan.DefaultHostname, "", plan.DefaultHostname},
		{"no plan yet", "", "", ""},
		{"the first label of a full name", plan.DefaultHostname, "node-7.example.com", "node-7"},
		{"the longest label", plan.DefaultHostname, long + ".example.com", long},
		{"too long a label", plan.DefaultHostname, long + "a", plan.DefaultHostname},
		{"localhost", plan.DefaultHostname, "localhost.localdomain", plan.DefaultHostname},
		{"an underscore", plan.DefaultHostname, "node_7", plan.DefaultHostname},
		{"a hyphen at the end", plan.DefaultHostname, "node-", plan.DefaultHostname},
		{"no label", plan.DefaultHostname, ".example.com", plan.DefaultHostname},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := Hostname(plan.Desired{Hostname: tt.desired}, Network{Hostname: tt.leased}); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}
