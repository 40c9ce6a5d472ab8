package boot

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stele-os/stele/agent/system"
)

func TestPatientlyWaitsForTheEnd(t *testing.T) {
	for _, took := range []time.Duration{time.Millisecond, upLimit - time.Second, 3 * upLimit} {
		synctest.Test(t, func(t *testing.T) {
			a := &agent{watchdog: &system.Watchdog{}}
			begun := time.Now()
			a.patiently(upLimit, func() { time.Sleep(took) })
			if waited := time.Since(begun); waited != took {
				t.Errorf("waited %v for what took %v", waited, took)
			}
		})
	}
}
