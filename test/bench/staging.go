package main

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/stele-os/stele/test/qemu/machine"
	"github.com/stele-os/stele/test/versions"
)

// ballastBytes make the large version: most of it is new to the machine, and does not compress.
const ballastBytes = 256 << 20

// Staging is how a version gets into a slot, in medians over several machines, each fresh.
type Staging struct {
	Name string `json:"name"`
	Runs int    `json:"runs"`
	// Bytes of boot entry, root and hash tree; SentBytes is what came over the network for them, metadata included.
	Bytes     int64 `json:"bytes"`
	SentBytes int64 `json:"sentBytes"`
	// Seconds of the staging, and of its phases by name.
	Seconds float64            `json:"seconds"`
	Phases  map[string]float64 `json:"phasesSeconds"`
	// CopySeconds is what a program in a container takes on the same machine to fetch the same files as they are over the same way, to hash them and
	// to write them to /var, made durable; one after the other. Zero: not measured.
	CopySeconds float64 `json:"copySeconds,omitempty"`
	// Ratio is CopySeconds by Seconds: above 1, staging is faster. It is the median of the ratios.
	Ratio float64 `json:"ratio,omitempty"`
	// PeakAboveIdle is how much more PID 1 was resident at its peak than before, AnonymousAboveIdle the same of its anonymous memory, as seen once a
	// second; KiB, the most of all runs.
	PeakAboveIdle      int64 `json:"agentPeakAboveIdleKiB"`
	AnonymousAboveIdle int64 `json:"agentAnonymousAboveIdleKiB"`
}

// stagings measures the large version on fresh machines.
func (s *stand) stagings(ctx context.Context, first machine.Image, runs int) (Staging, error) {
	const number = "1.1.0"
	large, err := s.version(ctx, versions.Version{Number: number, Ballast: ballastBytes})
	if err != nil {
		return Staging{}, err
	}
	result := Staging{Name: fmt.Sprintf("demo and %d MiB that do not compress", ballastBytes>>20), Runs: runs, Phases: map[string]float64{}}
	if result.Bytes, err = imageBytes(large); err != nil {
		return result, err
	}
	var took, copied, ratios []time.Duration
	phases := map[string][]time.Duration{}
	for n := range runs {
		one, err := s.staging(ctx, first, number, true)
		if err != nil {
			return result, fmt.Errorf("staging %d of %d: %w", n+1, runs, err)
		}
		fmt.Fprintf(os.Stderr, "staging %d of %d: %.1f s, copying %.1f s\n", n+1, runs, one.Seconds, one.CopySeconds)
		took, copied, ratios = append(took, seconds(one.Seconds)), append(copied, seconds(one.CopySeconds)), append(ratios, seconds(one.Ratio))
		for name, d := range one.Phases {
			phases[name] = append(phases[name], seconds(d))
		}
		result.PeakAboveIdle = max(result.PeakAboveIdle, one.PeakAboveIdle)
		result.AnonymousAboveIdle = max(result.AnonymousAboveIdle, one.AnonymousAboveIdle)
		result.SentBytes = one.SentBytes
	}
	result.Seconds, result.CopySeconds, result.Ratio = median(took), median(copied), median(ratios)
	for name, list := range phases {
		result.Phases[name] = median(list)
	}
	return result, nil
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// staging does it once on a fresh machine; copying comes first, or not at all.
func (s *stand) staging(ctx context.Context, first machine.Image, version string, copying bool) (one Staging, err error) {
	g, err := s.start(ctx, first)
	if err != nil {
		return one, err
	}
	defer g.end()
	if err := pause(ctx, settleTime); err != nil {
		return one, err
	}
	if copying {
		if one.CopySeconds, err = s.copy(ctx, g, version); err != nil {
			return one, err
		}
	}
	if err := s.watched(ctx, g, version, &one); err != nil {
		return one, err
	}
	one.Ratio = one.CopySeconds / one.Seconds
	return one, nil
}

// copy lets the demo fetch the version's files, and removes what it wrote.
func (s *stand) copy(ctx context.Context, g *guest, version string) (float64, error) {
	query := url.Values{"path": {"/data/copy"}}
	for _, name := range artifacts {
		query.Add("url", "http://"+serverAddress+"/plain/"+version+"/out/"+name)
	}
	begun := time.Now()
	ctx, cancel := context.WithTimeout(ctx, updateTimeout)
	defer cancel()
	status, body, err := machine.Get(ctx, g.url("/copy?"+query.Encode()))
	took := time.Since(begun).Seconds()
	if err != nil || !strings.Contains(body, " bytes in ") {
		return 0, fmt.Errorf("cannot copy version %s in the guest: %d %s: %w", version, status, body, err)
	}
	_, err = get(ctx, g.url("/write?path=/data/copy"))
	return took, err
}

// watched stages a version and looks at PID 1 meanwhile.
func (s *stand) watched(ctx context.Context, g *guest, version string, one *Staging) error {
	// proc(5), clear_refs: 5 sets the peak of resident memory back to what is resident now.
	if _, err := get(ctx, g.url("/write?path=/proc/1/clear_refs&data=5")); err != nil {
		return err
	}
	resident, anonymous, err := resident(g.ask(ctx), 1)
	if err != nil {
		return err
	}
	watching, stop := context.WithCancel(ctx)
	peak := make(chan int64)
	go func() { peak <- g.watchAnonymous(watching) }()
	sent, begun := s.sent.Load(), time.Now()
	one.Phases, err = g.stage(ctx, version)
	one.Seconds, one.SentBytes = time.Since(begun).Seconds(), s.sent.Load()-sent
	stop()
	one.AnonymousAboveIdle = max(<-peak-anonymous, 0)
	if err != nil {
		return err
	}
	text, err := get(ctx, g.url("/proc/1/status"))
	one.PeakAboveIdle = kibFields(text)["VmHWM"] - resident
	return err
}

// watchAnonymous looks once a second until ctx ends, and returns the most that it saw.
func (g *guest) watchAnonymous(ctx context.Context) (most int64) {
	for pause(ctx, time.Second) == nil {
		if _, anonymous, err := resident(g.ask(ctx), 1); err == nil {
			most = max(most, anonymous)
		}
	}
	return most
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// imageBytes is what an update carries, uncompressed.
func imageBytes(image machine.Image) (total int64, err error) {
	for _, name := range artifacts {
		info, err := os.Stat(image.File(name))
		if err != nil {
			return 0, err
		}
		total += info.Size()
	}
	return total, nil
}

// phaseOrder of a staging, as the machine reports it.
var phaseOrder = []string{"asking", "metadata", "preparing", "writing", "verifying", "installing"}

// orderedPhases are those that a staging had.
func (s Staging) orderedPhases() []string {
	return slices.DeleteFunc(slices.Clone(phaseOrder), func(name string) bool { _, had := s.Phases[name]; return !had })
}
