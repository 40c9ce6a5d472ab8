package update

import (
	"time"

	"github.com/stele-os/stele/agent/state"
	"github.com/stele-os/stele/agent/update/transfer"
)

// reporter publishes a staging's progress, not too often.
type reporter struct {
	m        *Manager
	got      func(done int64)
	current  state.Progress
	reported time.Time
}

func (m *Manager) reporter(version string, got func(done int64)) *reporter {
	return &reporter{m: m, got: got, current: state.Progress{Version: version}}
}

func (r *reporter) phase(name string) {
	r.current.Phase = name
	r.publish()
}

// progress is never called twice at a time.
func (r *reporter) progress(p transfer.Progress) {
	r.current.Done, r.current.Total, r.current.Fetched, r.current.Reused = p.Done, p.Total, p.Fetched, p.Reused
	r.got(p.Done)
	if r.m.o.Now().Sub(r.reported) >= progressEvery || p.Done == p.Total {
		r.publish()
	}
}

func (r *reporter) publish() {
	r.reported = r.m.o.Now()
	current := r.current
	r.m.publish(func(u *state.Update) { u.Progress = current })
}
