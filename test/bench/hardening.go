package main

import (
	"context"
	"os"
	"path/filepath"

	"github.com/stele-os/stele/internal/vm"
	"github.com/stele-os/stele/test/hardening"
	"github.com/stele-os/stele/test/qemu/machine"
)

// Hardening is the yardstick's score of a running machine by what is judged: kconfig, cmdline, sysctl.
type Hardening map[string]hardening.Score

// measureHardening boots the image once and asks the yardstick.
func measureHardening(ctx context.Context, image machine.Image) (Hardening, error) {
	ctx, cancel := context.WithTimeout(ctx, bootTimeout)
	defer cancel()
	m, err := vm.Start(ctx, image.VM(machine.Options{Direct: true, Document: []byte(hardening.Document)}))
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(m.Dir)
	defer m.Cut()
	base := "http://" + m.Address(machine.DemoPort)
	if _, err := machine.Serving(ctx, m, base+"/healthz"); err != nil {
		return nil, err
	}
	subject, err := hardening.Read(ctx, base, m.Dir)
	if err != nil {
		return nil, err
	}
	tool, err := hardening.Open(ctx, filepath.Join("images", "lock.yaml"))
	if err != nil {
		return nil, err
	}
	defer tool.Close()
	checks, err := tool.Check(ctx, subject)
	return hardening.Scores(checks), err
}

// hardeningRows write one machine's; of says whose, where it is not the image that all else is about.
func hardeningRows(title func(string), row func(key, format string, values ...any), of string, h Hardening) {
	if len(h) > 0 {
		title("Hardening" + of + ", kernel-hardening-checker")
	}
	for _, kind := range hardening.Kinds {
		if score, known := h[kind]; known {
			row(kind, "%8d OK, %d FAIL, of %d", score.OK, score.Fail, score.OK+score.Fail)
		}
	}
}
