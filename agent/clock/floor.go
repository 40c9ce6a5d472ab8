package clock

import (
	"fmt"
	"time"
)

// Floor sets the system's clock to buildTime if it stands before it: no machine runs before its image was built, so a clock that
// says so has lost its battery. It reports whether the clock was moved. To be called once, before anything else reads the time.
func Floor(buildTime time.Time) (moved bool, err error) {
	return floor(kernel{}, buildTime)
}

func floor(s System, buildTime time.Time) (bool, error) {
	now := s.Now()
	if !now.Before(buildTime) {
		return false, nil
	}
	if err := s.Step(buildTime.Sub(now)); err != nil {
		return false, fmt.Errorf("cannot set the clock to the image's build time %q: %w", buildTime.UTC().Format(time.RFC3339), err)
	}
	return true, nil
}
