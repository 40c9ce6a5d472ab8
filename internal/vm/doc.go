// Package vm starts virtual machines in QEMU and lets a program watch and steer them.
//
// A machine is a literal (Options); Start turns it into a running VM with a serial console that can be searched (Console), a control channel
// (Client, the QEMU Machine Protocol: docs/interop/qmp-spec.rst) and forwarded ports on loopback. It is not a hypervisor abstraction: it speaks
// to QEMU alone, and it knows nothing about what runs inside but the words with which a Linux kernel says that it is in trouble (KernelTrouble).
//
//	Options -> resolve (QEMU, acceleration, firmware, ports, copies of disks) -> arguments (pure) -> QEMU
//	                                               console socket -> splitter -> Console -> Expect, deny list
//	                                               QMP socket     -> Client   -> events, power
//
// Invariants:
//   - No port is opened but on 127.0.0.1, and a restricted NIC reaches nothing but what GuestForwards name (TestArgumentsGolden).
//   - Disks given with Copy are never written (TestCopyLeavesTheOriginal); the copy is a sparse raw file, so that the host's tools can read it
//     afterwards. A qcow2 overlay would be made faster, but only QEMU can read it, and it needs qemu-img.
//   - The console log is written by QEMU itself and is complete, whatever this process does; memory holds a bounded tail (TestConsoleForgetsOldLines).
//   - KVM is used only where a Linux kernel was seen to boot under it: /dev/kvm may open and still be unable to run one.
package vm
