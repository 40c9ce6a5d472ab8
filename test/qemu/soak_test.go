//go:build qemu

package qemu

import (
	"fmt"
	"os"
	"strconv"
	"testing"

	"github.com/stele-os/stele/test/qemu/machine"
)

// TestSoak boots again and again: an emulator or kernel that fails at random fails here. STELE_SOAK sets the number of boots.
func TestSoak(t *testing.T) {
	t.Parallel()
	boots := 20
	if text := os.Getenv("STELE_SOAK"); text != "" {
		var err error
		if boots, err = strconv.Atoi(text); err != nil {
			t.Fatalf("cannot read STELE_SOAK: %v", err)
		}
	}
	for n := range boots {
		t.Run(fmt.Sprintf("boot %d", n+1), func(t *testing.T) {
			g := boot(t, machine.Options{Direct: true, Document: machine.DemoDocument, NoNetwork: true})
			g.expect(`^stele: .*container demo: running ready`)
		})
		if t.Failed() {
			return
		}
	}
}
