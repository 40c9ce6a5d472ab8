package machine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
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
	DirectKernel, SecureBoot    bool
	Persist, Detach             bool
	// Contexts file that the machine is put into, as Node; empty: one in the run's directory. Only without Config.
	Contexts, Node string
	// Program is how the person calls this command.
	Program string

	access  *access // where the document is the demo's
	apiPort int     // in the guest; 0: the API does not listen
}

// Run boots an image in place of the one that an earlier run left, tells out how it goes, and stays until ctx is over or the machine stops. With Detach it returns once the machine serves.
func Run(ctx context.Context, o RunOptions, out io.Writer) error {
	image, options, err := o.options(time.Now())
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
func (o *RunOptions) options(now time.Time) (Image, Options, error) {
	image, err := Open(o.ImageDir)
	if err != nil {
		return Image{}, Options{}, err
	}
	options := Options{
		Direct: o.DirectKernel, SecureBoot: o.SecureBoot, Dir: o.dir(), MemoryMiB: o.MemoryMiB, CPUs: o.CPUs,
		Reboot: true, Outside: true, Detached: o.Detach, DiskSizeBytes: 4 << 30,
	}
	if options.Document, err = o.document(now); err != nil {
		return Image{}, Options{}, err
	}
	o.apiPort = apiPort(options.Document)
	if options.Forwards, err = forwards(o.Ports); err != nil {
		return Image{}, Options{}, err
	}
	named := slices.ContainsFunc(options.Forwards, func(f vm.Forward) bool { return f.Guest == o.apiPort })
	if o.apiPort != 0 && !named {
		options.Forwards = append(options.Forwards, vm.Forward{Guest: o.apiPort, Host: freeOr0(o.apiPort)})
	}
	return image, options, nil
}

// document is the person's, or the demo's with access for the person.
func (o *RunOptions) document(now time.Time) ([]byte, error) {
	if o.Config != "" && o.Contexts != "" {
		return nil, hint.New(errors.New("cannot use --contexts with --config: the callers of a document of your own are yours"), "start it without --contexts, then trust it by the line that is printed")
	}
	if o.Config != "" {
		document, err := os.ReadFile(o.Config)
		if err != nil {
			return nil, fmt.Errorf("cannot read configuration document: %w", err)
		}
		return document, nil
	}
	path, err := filepath.Abs(cmp.Or(o.Contexts, filepath.Join(o.dir(), "api", "contexts.yaml")))
	if err != nil {
		return nil, err
	}
	o.access = &access{Contexts: path, Node: o.node()}
	clientCAs, err := o.access.prepare(now)
	if err != nil {
		return nil, err
	}
	return withAPI(DemoDocument, clientCAs), nil
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
		return []vm.Forward{{Guest: DemoPort, Host: freeOr0(DemoPort)}}, nil
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

// freeOr0 is the port where nothing listens on it, else 0, for which QEMU's starter takes a free one.
func freeOr0(port int) int {
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return 0
	}
	listener.Close()
	return port
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
	if o.apiPort != 0 {
		if summary.API, err = o.reach(ctx, m); err != nil {
			return err
		}
	}
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
