package machine

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/stele-os/stele/internal/vm"
)

const (
	attemptTimeout  = 500 * time.Millisecond
	attemptInterval = 25 * time.Millisecond
	maxAnswerBytes  = 1 << 20
)

// Get asks the guest once, on a connection of its own.
func Get(ctx context.Context, url string) (status int, body string, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, "", err
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(io.LimitReader(response.Body, maxAnswerBytes))
	return response.StatusCode, string(content), err
}

// Serving waits until the URL answers 200, and returns how long after power-on that was. It asks only once a container runs: before, QEMU takes
// the connection and the guest never sees it. It fails at once when the machine stops or its console shows trouble.
func Serving(ctx context.Context, m *vm.VM, url string) (time.Duration, error) {
	if _, err := m.Expect(ctx, `stele: .*container \S+: running`); err != nil {
		return 0, err
	}
	for {
		attempt, cancel := context.WithTimeout(ctx, attemptTimeout)
		status, _, err := Get(attempt, url)
		cancel()
		if err == nil && status == http.StatusOK {
			return time.Since(m.Started), nil
		}
		if err == nil {
			err = fmt.Errorf("it answers %d", status)
		}
		if trouble := m.Console.Err(); trouble != nil {
			return 0, trouble
		}
		select {
		case <-time.After(attemptInterval):
		case <-m.Done():
			return 0, fmt.Errorf("cannot reach %q: the machine has stopped", url)
		case <-ctx.Done():
			return 0, fmt.Errorf("cannot reach %q: %w (%w)", url, context.Cause(ctx), err)
		}
	}
}

// Reports are the boot reports so far, with the host's view of firmware and loader where the machine has none.
func Reports(m *vm.VM) []Report {
	lines := m.Console.Lines(0)
	var texts []string
	for _, line := range lines {
		texts = append(texts, line.Text)
	}
	reports := ParseReports(texts)
	for _, r := range reports {
		AddHostStages(r.Timing, lines, m.Started)
	}
	return reports
}

// WaitReport waits for the first complete boot report.
func WaitReport(ctx context.Context, m *vm.VM) (Report, error) {
	if _, err := m.Expect(ctx, `^stele: ---- end ----`); err != nil {
		return Report{}, err
	}
	reports := Reports(m)
	if len(reports) == 0 {
		return Report{}, fmt.Errorf("cannot read the boot report: it has no beginning")
	}
	return reports[0], nil
}
