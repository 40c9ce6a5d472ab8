package main

import (
	"fmt"
	"strings"

	"github.com/stele-os/stele/test/qemu/machine"
)

const mib = 1 << 20

// table writes the figures for people.
func table(r Result) string {
	var b strings.Builder
	row := func(key, format string, values ...any) {
		fmt.Fprintf(&b, "  %-34s "+format+"\n", append([]any{key}, values...)...)
	}
	title := func(text string) { fmt.Fprintf(&b, "\n%s\n", text) }

	title(fmt.Sprintf("Image %s %s, %s", r.Image.Name, r.Image.Version, r.Image.Architecture))
	sizeRows(row, r.Sizes)
	if r.Base != nil {
		title("The same without baked images")
		sizeRows(row, *r.Base)
		row("before there were updates", "%8.1f MiB, %.1f as zstd", beforeUpdates.image, beforeUpdates.compressed)
	}

	if len(r.Build) > 0 {
		title("Build")
	}
	for _, build := range r.Build {
		row(build.Name, "%8.1f s", build.Seconds)
		for _, stage := range build.Stages {
			row("    "+stage.Name, "%8.1f s   %s", stage.Seconds, stage.Outcome)
		}
	}

	bootRows(title, row, "", r.Boot)
	if r.Other != nil {
		title(fmt.Sprintf("Image %s %s, %s", r.Other.Image.Name, r.Other.Image.Version, r.Other.Image.Architecture))
		sizeRows(row, r.Other.Sizes)
		bootRows(title, row, " "+r.Other.Image.Architecture, r.Other.Boot)
		kernelRows(title, row, " "+r.Other.Image.Architecture, r.Other.Kernel)
	}

	title("Idle guest, 10 s after the first answer")
	idleRows(row, r.Idle)
	kernelRows(title, row, "", r.Kernel)
	if r.Updates != nil {
		updateRows(title, row, *r.Updates)
	}
	b.WriteString(comparison(r))
	return b.String()
}

// bootRows write the boots of one image; of says which, where it is not the one that all else is about.
func bootRows(title func(string), row func(key, format string, values ...any), of string, b Boots) {
	title(fmt.Sprintf("Boot%s through firmware, median of %d, %s, host load %s", of, b.Runs, b.Accel, b.HostLoad))
	for _, stage := range machine.Stages {
		if seconds, known := b.Stages[stage]; known {
			row(stage, "%8.2f s%s", seconds, map[bool]string{true: "", false: "   since kernel start"}[stage == "firmware" || stage == "loader"])
		}
	}
	row("first answer", "%8.2f s   since kernel start", b.KernelToAnswer)
	row("first answer", "%8.2f s   since power-on", b.PowerOnToAnswer)
}

func idleRows(row func(key, format string, values ...any), i Idle) {
	row("memory used", "%8.1f MiB of %.0f", kib(i.Used), kib(i.Total))
	row("agent (PID 1) resident", "%8.1f MiB, %.1f anonymous", kib(i.Agent), kib(i.AgentAnonymous))
	row("containerd resident", "%8.1f MiB, %.1f anonymous", kib(i.Containerd), kib(i.ContainerdAnonymous))
}

// sizeRows write the sizes of one image.
func sizeRows(row func(key, format string, values ...any), s Sizes) {
	row("disk.raw", "%8.1f MiB, %.1f allocated", float64(s.Files["disk.raw"])/mib, float64(s.DiskAllocated)/mib)
	for _, name := range append([]string{"vmlinuz"}, artifacts...) {
		row(name, "%8.1f MiB", float64(s.Files[name])/mib)
	}
	row("uki + root + verity", "%8.1f MiB, %.1f as zstd", float64(s.Sum)/mib, float64(s.Zstd)/mib)
	row("of it baked images", "%8.1f MiB", float64(s.Baked)/mib)
	row("executables on the root", "%8d, %d in baked images", s.Executables, s.Elsewhere)
}

// comparison sets the peers beside us; "x" says how many times ours theirs is.
func comparison(r Result) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n%-36s %16s %16s %16s %16s\n", "Compared", "boot s", "memory MiB", "image MiB", "zstd MiB")
	sizes := r.Sizes
	if r.Base != nil {
		sizes = *r.Base // the peers' images hold no container either
	}
	ours := []float64{r.Boot.PowerOnToAnswer, kib(r.Idle.Used), float64(sizes.Sum) / mib, float64(sizes.Zstd) / mib}
	fmt.Fprintf(&b, "%-36s", "Stele, verity EROFS, UKI, OVMF")
	for _, v := range ours {
		fmt.Fprintf(&b, " %16.1f", v)
	}
	b.WriteString("\n")
	for _, p := range peers {
		fmt.Fprintf(&b, "%-36s", p.name)
		for i, v := range []float64{p.boot, p.memory, p.image, p.compressed} {
			b.WriteString(" " + cell(v, ours[i]))
		}
		b.WriteString("\n")
	}
	return b.String()
}

func cell(theirs, ours float64) string {
	if theirs == 0 || ours == 0 {
		return fmt.Sprintf("%16s", "-")
	}
	return fmt.Sprintf("%8.1f %6.2fx", theirs, theirs/ours)
}

func kib(n int64) float64 { return float64(n) / 1024 }
