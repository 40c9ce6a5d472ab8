package main

// peer is a system measured on the same kind of machine: QEMU 10 under TCG, 2 CPUs, 1 GiB, power-on to a container running
// (development notes of November 2026). Zero: not measured, or does not apply.
type peer struct {
	name string
	// boot in seconds, memory in MiB, image and compressed in MiB, build in seconds.
	boot, memory, image, compressed, build float64
}

// peers: where a range was measured, its better end stands here.
var peers = []peer{
	{name: "Debian 13, systemd, direct kernel", boot: 18.9, memory: 245},
	{name: "Debian 13, verity EROFS, UKI, OVMF", boot: 31.8, memory: 245, image: 316, compressed: 126, build: 49},
	{name: "gokrazy (no containers)", boot: 14.1, memory: 34},
}

// beforeUpdates is our own image without containers as it was before it could take updates (commit 3df0089), in MiB.
var beforeUpdates = struct{ image, compressed float64 }{40.1, 20.7}
