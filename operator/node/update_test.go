package node

import (
	"errors"
	"strings"
	"testing"

	nodev1 "github.com/stele-os/stele/api/node/v1"
)

func TestJudge(t *testing.T) {
	status := func(version string, committed bool, boots ...*nodev1.Boot) *nodev1.StatusResponse {
		return &nodev1.StatusResponse{
			Running: &nodev1.Version{Version: version, Committed: committed}, Boots: boots,
			Update: &nodev1.Update{Gates: []*nodev1.Gate{{Name: "settled", State: "held"}, {Name: "container web", State: "waiting", Reason: "starting"}}},
		}
	}
	old, fresh := &nodev1.Boot{Id: "1", Version: "1.0.0"}, &nodev1.Boot{Id: "2", Version: "1.1.0"}
	back := []*nodev1.Boot{{Id: "3", Version: "1.0.0"}, {Id: "2", Version: "1.1.0", Reason: "container web is not ready"}}
	for _, tt := range []struct {
		name   string
		status *nodev1.StatusResponse
		err    error
		phase  string
		done   bool
		text   string
	}{
		{"not there", nil, errors.New("refused"), "restarting", false, "no answer"},
		{"still the old boot", status("1.0.0", true, old), nil, "restarting", false, "going down"},
		{"on probation", status("1.1.0", false, fresh, old), nil, "probation", false, "1 of 2 gates hold, waiting for container web: starting"},
		{"committed", status("1.1.0", true, fresh, old), nil, "committed", true, "1.1.0"},
		{"back", status("1.0.0", true, back...), nil, "back", true, ""},
		{"an answer without boots", status("1.0.0", true), nil, "restarting", false, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w, done, failed := judge("web-1", "1.1.0", "1", tt.status, tt.err)
			if w.Phase != tt.phase || done != tt.done || !strings.Contains(w.Text, tt.text) {
				t.Errorf("got %+v, %v", w, done)
			}
			if (failed != nil) != (tt.phase == "back") {
				t.Errorf("failed: %v", failed)
			}
			if failed != nil && !strings.Contains(failed.Error(), "container web is not ready") {
				t.Errorf("it does not say why: %v", failed)
			}
		})
	}
}
