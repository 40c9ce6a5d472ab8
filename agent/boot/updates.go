package boot

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/stele-os/stele/agent/plan"
	"github.com/stele-os/stele/agent/update"
	"github.com/stele-os/stele/agent/update/repository"
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
		Source:   (&webSource{}).of,
		Shutdown: func(reason string) { a.request(false, reason) },
		Logf:     func(format string, args ...any) { a.log.Info(fmt.Sprintf(format, args...)) },
		Exec: func(ctx context.Context, container string, command []string) (int, error) {
			code, _, err := a.control.Exec(ctx, container, command)
			return code, err
		},
		Failures: &a.failing.current,
	})
}

// webSource keeps one connection pool for the repository that the document names.
type webSource struct {
	mu      sync.Mutex
	options repository.HTTPOptions
	current *repository.HTTP
}

func (s *webSource) of(u plan.Update) (repository.Source, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := repository.HTTPOptions{URL: u.Repository, CA: u.CA, MaxRateBytes: u.MaxRateBytes}
	if s.current != nil && s.options == o {
		return s.current, nil
	}
	source, err := repository.NewHTTP(o)
	if err != nil {
		return nil, err
	}
	if s.current != nil {
		s.current.Close()
	}
	s.current, s.options = source, o
	return source, nil
}
