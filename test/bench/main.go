// Command bench measures a built image and prints the figures beside those of its peers: `make bench`.
//
//	sizes (files of the image directory) | boots (5, median, by firmware) | idle guest (one boot, 10 s after serving) | kernel (size by group, hardening) | build (stele build) |
//	updates (a site of its own: staging against copying, a small change, apply to service, bad updates to service)
//
// Every figure is measured by this program in this run; the peers' stand in peers.go with where they come from. It judges nothing.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"

	"github.com/stele-os/stele/builder/output"
	"github.com/stele-os/stele/internal/vm"
	"github.com/stele-os/stele/test/qemu/machine"
)

// Result is everything measured, as bench.json holds it.
type Result struct {
	Image output.Manifest `json:"image"`
	Sizes Sizes           `json:"sizes"`
	// Base is the same without baked images.
	Base  *Sizes      `json:"base,omitempty"`
	Build []BuildTime `json:"build,omitempty"`
	Boot  Boots       `json:"boot"`
	// Other is the same image for another architecture: sizes, boots and kernel alone.
	Other *Other `json:"other,omitempty"`
	Idle  Idle   `json:"idle"`
	// Kernel of the image.
	Kernel Kernel `json:"kernel"`
	// Updates of the demo image.
	Updates *Updates `json:"updates,omitempty"`
}

// Other is what is measured of an image for another architecture.
type Other struct {
	Image  output.Manifest `json:"image"`
	Sizes  Sizes           `json:"sizes"`
	Boot   Boots           `json:"boot"`
	Kernel Kernel          `json:"kernel"`
}

func main() {
	vm.RunRelay()
	imageDir := flag.String("image", "build/x86_64", "directory of the built image")
	out := flag.String("out", "build/bench.json", "file to write")
	runs := flag.Int("runs", 5, "boots to take the median of")
	other := flag.String("other", "", "directory of the image for another architecture, for sizes and boots")
	base := flag.String("base", "", "directory of the image without baked images, for the sizes alone")
	definition := flag.String("definition", "", "image definition to time a build of; empty: builds are not timed")
	kernelToo := flag.Bool("build-kernel", false, "time the kernel's build too")
	updates := flag.Bool("updates", true, "measure updates")
	stagings := flag.Int("stagings", 3, "stagings to take the median of")
	faults := flag.Bool("all-faults", false, "measure every class of bad update that a machine comes back from")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, options{*imageDir, *base, *other, *out, *definition, *kernelToo, *runs, *updates, *stagings, *faults}); err != nil {
		fmt.Fprintf(os.Stderr, "bench: %v\n", err)
		os.Exit(1)
	}
}

type options struct {
	image, base, other, out, definition string
	kernelToo                           bool
	runs                                int
	updates                             bool
	stagings                            int
	allFaults                           bool
}

func run(ctx context.Context, o options) error {
	result, err := measure(ctx, o)
	if err != nil {
		return err
	}
	content, err := json.MarshalIndent(result, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(o.out, append(content, '\n'), 0o644); err != nil {
		return fmt.Errorf("cannot write %q: %w", o.out, err)
	}
	fmt.Print(table(result))
	return nil
}

func measure(ctx context.Context, o options) (Result, error) {
	image, err := machine.Open(o.image)
	if err != nil {
		return Result{}, err
	}
	r := Result{Image: image.Manifest}
	if r.Sizes, err = measureSizes(image); err != nil {
		return r, err
	}
	if o.base != "" {
		base, err := machine.Open(o.base)
		if err != nil {
			return r, err
		}
		sizes, err := measureSizes(base)
		if err != nil {
			return r, err
		}
		r.Base = &sizes
	}
	if r.Boot, err = measureBoots(ctx, image, o.runs); err != nil {
		return r, err
	}
	if r.Other, err = measureOther(ctx, o.other, o.runs); err != nil {
		return r, err
	}
	if r.Idle, err = measureIdle(ctx, image); err != nil {
		return r, err
	}
	if r.Kernel, err = measureKernel(ctx, image); err != nil {
		return r, err
	}
	if o.updates {
		updates, err := measureUpdates(ctx, image, o.stagings, o.allFaults)
		if r.Updates = &updates; err != nil {
			return r, err
		}
	}
	if o.definition != "" {
		r.Build, err = measureBuilds(ctx, o.definition, o.kernelToo)
	}
	return r, err
}

// measureOther measures the image in a directory; nil where there is none.
func measureOther(ctx context.Context, dir string, runs int) (*Other, error) {
	if dir == "" {
		return nil, nil
	}
	image, err := machine.Open(dir)
	if err != nil {
		return nil, err
	}
	other := &Other{Image: image.Manifest}
	if other.Sizes, err = measureSizes(image); err != nil {
		return nil, err
	}
	if other.Boot, err = measureBoots(ctx, image, runs); err != nil {
		return nil, err
	}
	other.Kernel, err = measureKernel(ctx, image)
	return other, err
}
