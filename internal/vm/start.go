package vm

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// Start powers a machine on and returns as soon as QEMU runs. The machine ends with ctx, unless it is Detached. The caller owns it: Cut or Close.
func Start(ctx context.Context, o Options) (*VM, error) {
	o, err := withDefaults(o)
	if err != nil {
		return nil, err
	}
	qemu, err := findQEMU(ctx, architectures[o.Arch])
	if err != nil {
		return nil, err
	}
	console, err := newConsole(o.Deny, o.Allow, time.Now)
	if err != nil {
		return nil, err
	}
	sockets, err := os.MkdirTemp("", "vm-") // a unix socket's path holds 107 bytes: Options.Dir may be longer
	if err != nil {
		return nil, err
	}
	vm := &VM{Dir: o.Dir, Console: console, sockets: sockets, done: make(chan struct{})}
	if err := vm.start(ctx, o, qemu); err != nil {
		os.RemoveAll(sockets)
		return nil, fmt.Errorf("cannot start machine %q: %w", o.Name, err)
	}
	return vm, nil
}

func withDefaults(o Options) (Options, error) {
	for _, text := range []struct {
		field *string
		value string
	}{{&o.Name, "vm"}, {&o.Arch, "x86_64"}} {
		if *text.field == "" {
			*text.field = text.value
		}
	}
	if _, err := architectureFor(o.Arch); err != nil {
		return o, fmt.Errorf("cannot start machine %q: %w", o.Name, err)
	}
	if o.MemoryMiB == 0 {
		o.MemoryMiB = 1024
	}
	if o.CPUs == 0 {
		o.CPUs = 2
	}
	if o.Deny == nil {
		o.Deny = KernelTrouble
	}
	var err error
	if o.Dir == "" {
		o.Dir, err = os.MkdirTemp("", "vm-"+o.Name+"-")
	} else if o.Dir, err = filepath.Abs(o.Dir); err == nil {
		err = os.MkdirAll(o.Dir, 0o755)
	}
	return o, err
}

// start resolves what the arguments need, runs QEMU and connects to it.
func (vm *VM) start(ctx context.Context, o Options, qemu string) error {
	r, err := vm.resolve(ctx, o, qemu)
	if err != nil {
		return err
	}
	vm.Accel, vm.ports = r.accel, r.ports
	listener, err := net.Listen("unix", r.console)
	if err != nil {
		return err
	}
	defer listener.Close()
	args := arguments(o, r)
	byHand := r
	byHand.console, byHand.qmp = "", ""
	vm.Command = commandLine(qemu, arguments(o, byHand))
	if err := vm.spawn(o, qemu, args); err != nil {
		return err
	}
	err = vm.connect(ctx, listener, r.qmp)
	if err == nil {
		err = replaceLink(r.qmp, o.inDir(qmpLink))
	}
	if err != nil {
		vm.kill()
		<-vm.done
		return errors.Join(err, vm.stderr())
	}
	if !o.Detached {
		vm.stopWatching = context.AfterFunc(ctx, vm.kill)
	}
	return nil
}

// resolve finds out and prepares everything the command line names.
func (vm *VM) resolve(ctx context.Context, o Options, qemu string) (r resolved, err error) {
	r = resolved{
		console: filepath.Join(vm.sockets, "console"), qmp: filepath.Join(vm.sockets, "qmp"), log: o.inDir("console.log"),
		fwCfg: map[string]string{}, ports: map[int]int{},
	}
	if r.accel, err = acceleration(ctx, o, qemu); err != nil {
		return r, err
	}
	if o.UEFI {
		a := architectures[o.Arch]
		if o.SecureBoot {
			a.firmware = a.secureFirmware
		}
		if r.firmware, err = findFirmware("", a); err != nil {
			return r, err
		}
		if r.firmware.vars, err = prepareVariables(o, r.firmware.vars); err != nil {
			return r, err
		}
	}
	if r.disks, err = prepareDisks(ctx, o); err != nil {
		return r, err
	}
	if r.logs, err = prepareLogs(o); err != nil {
		return r, err
	}
	for name, content := range o.FwCfg {
		file := o.inDir("fw_cfg-" + strconv.Itoa(len(r.fwCfg)))
		if err := os.WriteFile(file, content, 0o600); err != nil {
			return r, err
		}
		r.fwCfg[name] = file
	}
	self, err := os.Executable()
	if err != nil {
		return r, err
	}
	r.relay = []string{self, relayWord}
	r.ports, err = choosePorts(o.NICs)
	return r, err
}

// spawn runs QEMU in a process group of its own, so that a terminal's Ctrl-C reaches us alone.
func (vm *VM) spawn(o Options, qemu string, args []string) error {
	log, err := os.Create(o.inDir("qemu.log"))
	if err != nil {
		return err
	}
	defer log.Close()
	vm.cmd = exec.Command(qemu, args...)
	vm.cmd.Stdout, vm.cmd.Stderr = log, log
	vm.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if !o.Detached {
		vm.cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	}
	vm.Started = time.Now()
	if err := vm.cmd.Start(); err != nil {
		return err
	}
	go vm.reap()
	return nil
}

// connect takes QEMU's console connection and dials its QMP socket.
func (vm *VM) connect(ctx context.Context, listener net.Listener, socket string) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	go func() { // ends when connect does, at the latest
		select {
		case <-vm.done:
		case <-ctx.Done():
		}
		listener.Close()
	}()
	conn, err := listener.Accept()
	if err != nil {
		return errors.New("QEMU did not open its console")
	}
	go vm.Console.readFrom(conn)
	for {
		if conn, err = net.Dial("unix", socket); err == nil {
			break
		}
		select {
		case <-time.After(5 * time.Millisecond):
		case <-vm.done:
			return errors.New("QEMU has ended")
		case <-ctx.Done():
			return fmt.Errorf("cannot connect to QMP: %w", err)
		}
	}
	vm.QMP, err = newClient(ctx, conn)
	return err
}
