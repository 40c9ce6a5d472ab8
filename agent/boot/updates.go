package boot

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/stele-os/stele/agent/update"
	"github.com/stele-os/stele/api/v1alpha1"
)

// makeUpdates makes the manager of updates. Its root of trust is the image's, and nothing else's.
func (a *agent) makeUpdates() {
	root, err := os.ReadFile(v1alpha1.UpdateRootPath)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		a.log.Error(fmt.Sprintf("cannot read the root of trust of updates: %v", err))
	}
	a.updates = update.New(update.Options{
		Machine: a.machine, Image: a.image, Root: root,
		Disk: func(ctx context.Context) (string, error) {
			<-a.loaderRead // and with it what the kernel kept of a crash
			return a.settledDisk(ctx)
		},
		Shutdown: func(reason string) { a.request(false, reason) },
		Logf:     func(format string, args ...any) { a.log.Info(fmt.Sprintf(format, args...)) },
		Exec: func(ctx context.Context, container string, command []string) (int, error) {
			code, _, err := a.control.Exec(ctx, container, command)
			return code, err
		},
		Failures: &a.failing.current,
	})
}
