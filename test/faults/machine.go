package faults

import (
	"context"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	nodev1 "github.com/stele-os/stele/api/node/v1"
	"github.com/stele-os/stele/internal/sparse"
	"github.com/stele-os/stele/internal/vm"
	"github.com/stele-os/stele/operator/node"
	"github.com/stele-os/stele/test/qemu/machine"
)

// timeout bounds every wait: emulation on a busy machine takes its time.
const timeout = 8 * time.Minute

// Setting is how a machine is started.
type Setting struct {
	// Dir holds its disk, its firmware's variables and its console log.
	Dir string
	// Document of the machine; nil: the demo, with quick gates.
	Document []byte
	// NVRAM as in vm.Options.
	NVRAM string
	// Disks beside the boot disk.
	Disks []vm.Disk
	// Prepare changes the boot disk before the first start.
	Prepare func(disk string) error
	// Log takes what happens, for people.
	Log func(format string, args ...any)
}

// Machine runs the good version.
type Machine struct {
	*vm.VM
	// Client calls as an operator.
	Client *node.Client
	// Web is the repository as the machine sees it.
	Web *Web

	lab     *Lab
	setting Setting
	literal vm.Options
	server  *http.Server
}

// Start powers a machine on for the first time and waits until it serves.
func (l *Lab) Start(ctx context.Context, s Setting) (*Machine, error) {
	image, err := l.Image(ctx, Version(Good))
	if err != nil {
		return nil, err
	}
	if s.Document == nil {
		s.Document = l.Document(Gates{Probation: 3, Deadline: 60}, "containers:"+container("demo", machine.DemoPort, ""))
	}
	if s.Log == nil {
		s.Log = func(string, ...any) {}
	}
	m := &Machine{lab: l, setting: s, Web: newWeb(l.Handler())}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	m.server = &http.Server{Handler: m.Web, ReadHeaderTimeout: timeout}
	go func() { _ = m.server.Serve(listener) }() // ends with Close
	m.literal = image.VM(machine.Options{
		Dir: s.Dir, Disk: m.Disk(), Disks: s.Disks, Document: s.Document, Reboot: true, Watchdog: "reset", Allow: []string{".*"},
		Forwards:      []vm.Forward{{Guest: machine.DemoPort}, {Guest: APIPort}},
		GuestForwards: []vm.GuestForward{{Listen: RepositoryAddress, Target: listener.Addr().String()}},
	})
	m.literal.NVRAM = s.NVRAM
	if err = m.newDisk(ctx, image.File("disk.raw")); err == nil {
		err = m.PowerOn(ctx)
	}
	if err == nil {
		_, err = m.InService(ctx, Good, "")
	}
	if err != nil {
		m.Close()
		return nil, err
	}
	return m, nil
}

// newDisk makes the boot disk.
func (m *Machine) newDisk(ctx context.Context, from string) error {
	if err := os.MkdirAll(m.setting.Dir, 0o755); err != nil {
		return err
	}
	if err := sparse.Copy(ctx, m.Disk(), from); err != nil {
		return err
	}
	if m.setting.Prepare == nil {
		return nil
	}
	return m.setting.Prepare(m.Disk())
}

// Disk is the boot disk.
func (m *Machine) Disk() string { return m.setting.Dir + "/boot.raw" }

// PowerOn starts QEMU on the machine's disk, and returns at once.
func (m *Machine) PowerOn(ctx context.Context) error {
	started, err := vm.Start(context.WithoutCancel(ctx), m.literal)
	if err != nil {
		return err
	}
	m.VM = started
	if m.Client != nil {
		m.Client.Close()
		m.Client = nil
	}
	return nil
}

// Close ends the machine.
func (m *Machine) Close() {
	if m.Client != nil {
		m.Client.Close()
	}
	if m.VM != nil {
		m.VM.Close()
	}
	m.server.Close()
}

// client calls the machine by the key that its console shows. It is the same key in every boot.
func (m *Machine) client(ctx context.Context) (*node.Client, error) {
	if m.Client != nil {
		return m.Client, nil
	}
	line, err := m.Expect(ctx, `^stele: .*api: port \d+, fingerprint (SHA256:\S+)`)
	if err != nil {
		return nil, err
	}
	m.Client, err = m.lab.Client("machine", m.Address(APIPort), line.Groups[1], "operator")
	return m.Client, err
}

// Status asks once more than a busy machine may need.
func (m *Machine) Status(ctx context.Context) (*nodev1.StatusResponse, error) {
	client, err := m.client(ctx)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	return node.Ask(ctx, client.Machine.Status, &nodev1.StatusRequest{})
}

// Stage stages a version from the repository.
func (m *Machine) Stage(ctx context.Context, version string) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	_, err := m.Client.Stage(ctx, version, nil, func(*nodev1.Progress) {})
	return node.Explain("machine", err)
}

// Apply restarts the machine into the staged version.
func (m *Machine) Apply(ctx context.Context, version string) error {
	_, err := node.Ask(ctx, m.Client.Updates.Apply, &nodev1.ApplyUpdateRequest{Version: version, Reason: "a fault"})
	return node.Explain("machine", err)
}

// Tail is the end of the console, for people.
func (m *Machine) Tail(n int) string {
	lines := m.Console.Lines(max(0, m.Console.Next()-n))
	var text strings.Builder
	for _, line := range lines {
		text.WriteString("    " + line.Text + "\n")
	}
	return text.String()
}
