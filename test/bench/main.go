// Command bench measures a built image and prints the figures beside those of its peers: `make bench`.
//
//	sizes (files of the image directory) | boots (5, median, by firmware) | idle guest (one boot, 10 s after serving) | build (stele build)
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
	"github.com/stele-os/stele/test/qemu/machine"
)

// Result is everything measured, as bench.json holds it.
type Result struct {
	Image output.Manifest `json:"image"`
	Sizes Sizes           `json:"sizes"`
	Build []BuildTime     `json:"build,omitempty"`
	Boot  Boots           `json:"boot"`
	Idle  Idle            `json:"idle"`
}

func main() {
	imageDir := flag.String("image", "build/x86_64", "directory of the built image")
	out := flag.String("out", "build/bench.json", "file to write")
	runs := flag.Int("runs", 5, "boots to take the median of")
	definition := flag.String("definition", "", "image definition to time a build of; empty: builds are not timed")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *imageDir, *out, *definition, *runs); err != nil {
		fmt.Fprintf(os.Stderr, "bench: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, imageDir, out, definition string, runs int) error {
	image, err := machine.Open(imageDir)
	if err != nil {
		return err
	}
	result := Result{Image: image.Manifest}
	if result.Sizes, err = measureSizes(image); err != nil {
		return err
	}
	if definition != "" {
		if result.Build, err = measureBuilds(ctx, definition); err != nil {
			return err
		}
	}
	if result.Boot, err = measureBoots(ctx, image, runs); err != nil {
		return err
	}
	if result.Idle, err = measureIdle(ctx, image); err != nil {
		return err
	}
	content, err := json.MarshalIndent(result, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(out, append(content, '\n'), 0o644); err != nil {
		return fmt.Errorf("cannot write %q: %w", out, err)
	}
	fmt.Print(table(result))
	return nil
}
