package containers

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"time"

	"github.com/stele-os/stele/agent/state"
)

// etcFiles are the machine's files that every container sees.
var etcFiles = []string{"resolv.conf", "hosts"}

// etcCopies is the directory of their copies. No container can have this name (RFC 1123).
func (o Options) etcCopies() string { return filepath.Join(o.RunDir, ".etc") }

// followEtc keeps copies of resolv.conf and hosts that are rewritten in place. A bind mount of a file shows the file that was there at its time;
// the network manager replaces its files by renaming, so a container that started before the network was up would never see a name server.
func followEtc(ctx context.Context, m *state.Machine, o Options) {
	for {
		_, _, changed := m.Network.Watch()
		copyEtc(o)
		select {
		case <-ctx.Done():
			return
		case <-changed:
			// The file may be written a moment after the state.
			sleep(ctx, o.Clock, 200*time.Millisecond)
		}
	}
}

func copyEtc(o Options) {
	if err := os.MkdirAll(o.etcCopies(), 0o755); err != nil {
		o.Logf("cannot keep files for containers: %v", err)
		return
	}
	for _, name := range etcFiles {
		content, err := os.ReadFile(filepath.Join(o.EtcDir, name))
		if err != nil && !os.IsNotExist(err) {
			o.Logf("cannot read %q for containers: %v", name, err)
			continue
		}
		if err := rewrite(filepath.Join(o.etcCopies(), name), content); err != nil {
			o.Logf("cannot write %q for containers: %v", name, err)
		}
	}
}

// rewrite changes a file in place, first its bytes, then its length, so that no reader finds it empty.
func rewrite(path string, content []byte) error {
	old, err := os.ReadFile(path)
	if err == nil && bytes.Equal(old, content) {
		return nil
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.WriteAt(content, 0); err != nil {
		return err
	}
	return f.Truncate(int64(len(content)))
}
