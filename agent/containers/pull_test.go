package containers

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stele-os/stele/agent/state"
)

// A machine without network says so of a container whose image it cannot pull, instead of pulling for ever.
func TestWaitOnline(t *testing.T) {
	for _, c := range []struct {
		name   string
		online time.Duration // 0: never
		took   time.Duration
		want   error
	}{
		{"never online", 0, onlinePatience, errOffline},
		{"online late", onlinePatience - time.Second, onlinePatience - time.Second, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := &containerdEngine{machine: &state.Machine{}, options: Options{Clock: realClock{}}}
				if c.online > 0 {
					time.AfterFunc(c.online, func() { e.machine.Network.Set(state.Network{Online: true}) })
				}
				began := time.Now()
				err := e.waitOnline(t.Context())
				if took := time.Since(began); !errors.Is(err, c.want) || took != c.took {
					t.Errorf("%v after %v", err, took)
				}
			})
		})
	}
}
