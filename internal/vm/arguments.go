package vm

import (
	"cmp"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// resolved is what the effect half found out before the arguments can be written.
type resolved struct {
	accel    string
	firmware firmware          // code, and this machine's own copy of the variables
	disks    []string          // path of each disk, copies included
	logs     map[int]writeLog  // of the disks whose writes are logged
	fwCfg    map[string]string // item name -> file
	ports    map[int]int       // guest port -> host port
	console  string            // socket on which we listen
	qmp      string            // socket on which QEMU listens
	log      string            // console log
	relay    []string          // command that connects its standard input and output to the address appended to it
}

// arguments writes QEMU's command line. Pure: the golden test shows what a change does to it.
func arguments(o Options, r resolved) []string {
	a := architectures[o.Arch]
	args := []string{
		"-name", escape(o.Name), "-machine", machineArgument(a, o), "-accel", r.accel, "-cpu", a.cpu[r.accel],
		"-m", strconv.Itoa(o.MemoryMiB), "-smp", strconv.Itoa(o.CPUs),
		"-nodefaults", "-no-user-config", "-display", "none", "-device", "virtio-rng-pci",
	}
	args = append(args, r.channels()...)
	if !o.Reboot {
		args = append(args, "-action", "reboot=shutdown")
	}
	if o.Seed != 0 {
		args = append(args, "-seed", strconv.Itoa(o.Seed))
	}
	if o.Watchdog != "" {
		args = append(args, "-device", "i6300esb", "-action", "watchdog="+o.Watchdog)
	}
	args = append(args, bootArguments(o, r)...)
	if needsSATA(o) {
		args = append(args, a.sata...)
	}
	for i, d := range o.Disks {
		if log, ok := r.logs[i]; ok {
			args = append(args, loggedDriveArguments(i, d, r.disks[i], log)...)
		} else {
			args = append(args, driveArguments(i, d, r.disks[i])...)
		}
		args = append(args, deviceArguments(i, d, i == 0 && o.Kernel == "")...)
	}
	for i, n := range o.NICs {
		args = append(args, nicArguments(i, n, r)...)
	}
	for _, name := range slices.Sorted(maps.Keys(r.fwCfg)) {
		args = append(args, "-fw_cfg", "name="+escape(name)+",file="+escape(r.fwCfg[name]))
	}
	args = append(args, smbiosArguments(o.SMBIOS)...)
	return append(args, o.ExtraArgs...)
}

// channels are console and control; without sockets, the terminal is both (Ctrl-A C switches), as people want it who run the command by hand.
func (r resolved) channels() []string {
	if r.console == "" {
		return []string{"-serial", "mon:stdio"}
	}
	return []string{
		"-chardev", "socket,id=console,path=" + escape(r.console) + ",logfile=" + escape(r.log) + ",logappend=on", "-serial", "chardev:console",
		"-chardev", "socket,id=qmp,path=" + escape(r.qmp) + ",server=on,wait=off", "-mon", "chardev=qmp,mode=control",
	}
}

// machineArgument leaves the SATA controller out where nothing hangs on it.
func machineArgument(a architecture, o Options) string {
	machine := a.machine
	if o.SecureBoot {
		machine += a.secureMachine
	}
	if needsSATA(o) {
		return machine
	}
	return machine + a.noSATA
}

func needsSATA(o Options) bool {
	return slices.ContainsFunc(o.Disks, func(d Disk) bool { return d.Bus == "ahci" || d.Bus == "cdrom" })
}

// bootArguments say where the first instruction comes from.
func bootArguments(o Options, r resolved) []string {
	var args []string
	if o.SecureBoot {
		args = append(args, architectures[o.Arch].secureArguments...)
	}
	if o.UEFI {
		args = append(args,
			"-drive", "if=pflash,unit=0,format=raw,readonly=on,file="+escape(r.firmware.code),
			"-drive", variablesArgument(o, r.firmware.vars))
		args = append(args, architectures[o.Arch].uefi...)
	}
	if o.Kernel != "" {
		args = append(args, "-kernel", o.Kernel, "-append", o.CommandLine)
	}
	if o.Initrd != "" {
		args = append(args, "-initrd", o.Initrd)
	}
	return args
}

// nicArguments put each card on a network of its own. romfile= empty: no boot from the network.
func nicArguments(i int, n NIC, r resolved) []string {
	id := fmt.Sprintf("net%d", i)
	netdev := userNetwork(n, id, r)
	if n.Cable != "" {
		netdev = "stream,id=" + id + ",server=off,addr.type=unix,addr.path=" + escape(n.Cable)
	}
	mac := n.MAC
	if mac == "" {
		mac = fmt.Sprintf("52:54:00:00:00:%02x", i)
	}
	return []string{"-netdev", netdev, "-device", cmp.Or(n.Model, "virtio-net-pci") + ",netdev=" + id + ",romfile=,mac=" + mac}
}

func userNetwork(n NIC, id string, r resolved) string {
	netdev := "user,id=" + id
	if n.Net != "" {
		netdev += ",net=" + n.Net
	}
	if n.IPv6Only {
		netdev += ",ipv4=off,ipv6=on"
	}
	if n.Hostname != "" {
		netdev += ",hostname=" + escape(n.Hostname)
	}
	if n.Restrict {
		netdev += ",restrict=on"
	}
	for _, f := range n.Forwards {
		netdev += fmt.Sprintf(",hostfwd=tcp:127.0.0.1:%d-%s:%d", r.ports[f.Guest], f.GuestAddress, f.Guest)
	}
	for _, f := range n.GuestForwards {
		command := append(slices.Clone(r.relay), f.Target)
		netdev += ",guestfwd=tcp:" + f.Listen + "-cmd:" + escape(shellQuote(command))
	}
	return netdev
}

func smbiosArguments(s SMBIOS) []string {
	var args []string
	if s.BIOSVendor != "" {
		args = append(args, "-smbios", "type=0,vendor="+escape(s.BIOSVendor))
	}
	system := "type=1"
	for _, field := range []struct{ key, value string }{
		{"manufacturer", s.Manufacturer}, {"product", s.Product}, {"serial", s.Serial}, {"uuid", s.UUID},
	} {
		if field.value != "" {
			system += "," + field.key + "=" + escape(field.value)
		}
	}
	if system != "type=1" {
		args = append(args, "-smbios", system)
	}
	return args
}

// escape doubles commas, as QEMU's option syntax asks.
func escape(s string) string { return strings.ReplaceAll(s, ",", ",,") }

// shellQuote writes a command as GLib's g_shell_parse_argv reads it, which is what QEMU's user network starts guestfwd commands with.
func shellQuote(command []string) string {
	quoted := make([]string, len(command))
	for i, word := range command {
		quoted[i] = "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
	}
	return strings.Join(quoted, " ")
}

// commandLine is a command for people to run again.
func commandLine(binary string, args []string) string {
	words := []string{binary}
	for _, a := range args {
		if a == "" || strings.ContainsAny(a, " ;'\"$&|<>()*?[]#~`\\") {
			a = shellQuote([]string{a})
		}
		words = append(words, a)
	}
	return strings.Join(words, " ")
}

// inDir is a file of the machine's own.
func (o Options) inDir(name string) string { return filepath.Join(o.Dir, name) }
