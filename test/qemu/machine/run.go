package machine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/stele-os/stele/internal/hint"
	"github.com/stele-os/stele/internal/vm"
)

// DefaultTimeout of Run: emulation on a busy machine takes its time.
const DefaultTimeout = 3 * time.Minute

// RunOptions are the flags of `stele run`.
type RunOptions struct {
	ImageDir, Config, Dir, Wait string
	MemoryMiB, CPUs             int
	Ports                       []string
	Timeout                     time.Duration
	DirectKernel                bool
	Persist, Detach             bool
}

// Run boots an image in place of the one that an earlier run left, tells out how it goes, and stays until ctx is over or the machine stops. With Detach it returns once the machine serves.
func Run(ctx context.Context, o RunOptions, out io.Writer) error {
	image, options, err := o.options()
	if err != nil {
		return err
	}
	if _, err := stopEarlier(ctx, o, out); err != nil {
		return err
	}
	if !o.Persist {
		if err := forget(options.Dir); err != nil {
			return err
		}
	}
	m, err := vm.Start(context.WithoutCancel(ctx), image.VM(options)) // Ctrl-C shuts it down in order instead of killing it
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "started QEMU, process %d, %s\n", m.PID(), accelerationWords[m.Accel])
	m.Console.Follow(progress(out, m.Started))
	if err := o.wait(ctx, m, out); err != nil {
		m.Cut()
		if ctx.Err() != nil {
			return errors.New("stopped before the machine served")
		}
		return hint.New(err, "read the console log: "+m.ConsoleLog())
	}
	if o.Detach {
		fmt.Fprintf(out, "stop          make stop, or: stele run --stop %s\n", o.ImageDir)
		return nil
	}
	fmt.Fprintln(out, "stop          Ctrl-C")
	return stay(ctx, m, out)
}

// options turns flags into a machine.
func (o RunOptions) options() (Image, Options, error) {
	image, err := Open(o.ImageDir)
	if err != nil {
		return Image{}, Options{}, err
	}
	options := Options{
		Document: DemoDocument, Direct: o.DirectKernel, Dir: o.dir(), MemoryMiB: o.MemoryMiB, CPUs: o.CPUs,
		Reboot: true, Outside: true, Detached: o.Detach, DiskSizeBytes: 4 << 30,
	}
	if o.Config != "" {
		if options.Document, err = os.ReadFile(o.Config); err != nil {
			return Image{}, Options{}, fmt.Errorf("cannot read configuration document: %w", err)
		}
	}
	if options.Forwards, err = forwards(o.Ports); err != nil {
		return Image{}, Options{}, err
	}
	return image, options, nil
}

// dir is where console log and disk lie.
func (o RunOptions) dir() string {
	if o.Dir != "" {
		return o.Dir
	}
	return filepath.Join(o.ImageDir, "run")
}

// forwards reads HOST:GUEST pairs. Without any, the demo's port is forwarded, from the same port where it is free.
func forwards(pairs []string) ([]vm.Forward, error) {
	if len(pairs) == 0 {
		host := DemoPort
		if listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", host)); err == nil {
			listener.Close()
		} else {
			host = 0
		}
		return []vm.Forward{{Guest: DemoPort, Host: host}}, nil
	}
	var list []vm.Forward
	for _, pair := range pairs {
		host, guest, found := strings.Cut(pair, ":")
		h, err := strconv.ParseUint(host, 10, 16)
		g, err2 := strconv.ParseUint(guest, 10, 16)
		if !found || err != nil || err2 != nil || g == 0 {
			return nil, fmt.Errorf("cannot forward %q: it is not HOST:GUEST, two port numbers", pair)
		}
		list = append(list, vm.Forward{Host: int(h), Guest: int(g)})
	}
	return list, nil
}

// wait waits for the answer and the boot report, and prints what a person wants to know then.
func (o RunOptions) wait(ctx context.Context, m *vm.VM, out io.Writer) error {
	ctx, cancel := context.WithTimeoutCause(ctx, o.Timeout, fmt.Errorf("not within %v", o.Timeout))
	defer cancel()
	summary := Summary{Machine: m}
	if o.Wait != "" {
		asking, giveUp := context.WithCancelCause(ctx)
		go func() { giveUp(hopeless(asking, m)) }()
		address := m.Address(o.guestPort())
		answered, err := Serving(asking, m, "http://"+address+o.Wait)
		if asking.Err() != nil && ctx.Err() == nil {
			return context.Cause(asking)
		} else if err != nil {
			return err
		}
		summary.URL, summary.Answered = "http://"+address+"/", answered
	}
	report, err := WaitReport(ctx, m)
	if err != nil {
		return err
	}
	summary.Report = report
	_, err = io.WriteString(out, summary.String())
	return err
}

// hopeless returns why nothing will ever answer, as soon as the boot report shows it; else it returns when ctx is over.
func hopeless(ctx context.Context, m *vm.VM) error {
	report, err := WaitReport(ctx, m)
	if err == nil && !report.runs() {
		return fmt.Errorf("no container runs, the machine is %s: %s", report.Machine, strings.Join(report.Failed, "; "))
	}
	<-ctx.Done()
	return nil
}

func (o RunOptions) guestPort() int {
	list, err := forwards(o.Ports)
	if err != nil || len(list) == 0 {
		return DemoPort
	}
	return list[0].Guest
}
