package metadata

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// requestTimeout bounds one HTTP request, so that a server which accepts and then says nothing cannot hold a round for ever.
const requestTimeout = 10 * time.Second

// Options say where a Fetcher looks. The zero value looks at the running machine and detects its platform.
type Options struct {
	// Platform fixes the source: "qemu", "nocloud", "ec2", "metal" or "none". Empty: detect.
	Platform string
	// Root is prefixed to /sys, /dev and /run. Empty: the machine's own.
	Root string
	// BootDisk returns the boot disk's device such as "/dev/vda", which is never searched for a NoCloud volume; "" where unknown.
	BootDisk func() string
	// ESP returns the device of the boot disk's EFI system partition, such as "/dev/vda1"; "" where there is none.
	ESP func() string
	// WaitNetwork returns once the machine is online. Nil: it already is.
	WaitNetwork func(context.Context) error
	// EC2URL is the base of the instance metadata service. Empty: EC2URL of this package.
	EC2URL string
	// Transport for HTTP. Nil: a direct one that ignores proxy variables.
	Transport http.RoundTripper
	// Mounter mounts volumes. Nil: the kernel.
	Mounter Mounter
}

// Fetcher gets the machine's metadata. Safe for use by one caller at a time.
type Fetcher struct {
	options Options
	client  *http.Client
}

// NewFetcher fills in what o leaves open. It touches nothing yet.
func NewFetcher(o Options) *Fetcher {
	if o.BootDisk == nil {
		o.BootDisk = func() string { return "" }
	}
	if o.ESP == nil {
		o.ESP = func() string { return "" }
	}
	if o.EC2URL == "" {
		o.EC2URL = EC2URL
	}
	if o.Mounter == nil {
		o.Mounter = kernelMounter{}
	}
	return &Fetcher{options: o, client: newClient(o.Transport)}
}

// Fetch makes one round over the sources of this machine and returns what the first existing one holds.
// An error that wraps ErrNotFound means that no source exists, and names what was tried. Any other error is of a source that
// exists and failed; no further source is asked then, so that a machine never takes the second-best configuration.
func (f *Fetcher) Fetch(ctx context.Context) (Result, error) {
	sources, err := f.sources()
	if err != nil {
		return Result{}, err
	}
	var tried []string
	for _, s := range sources {
		result, err := f.fetchOne(ctx, s)
		if err == nil {
			return result, nil
		}
		if !errors.Is(err, ErrNotFound) {
			return Result{}, fmt.Errorf("cannot fetch metadata of platform %q: %w", s.Name(), err)
		}
		tried = append(tried, strings.TrimSuffix(err.Error(), ": "+ErrNotFound.Error()))
	}
	return Result{}, fmt.Errorf("cannot find a metadata source (tried: %s): %w", strings.Join(tried, "; "), ErrNotFound)
}

func (f *Fetcher) fetchOne(ctx context.Context, s Source) (Result, error) {
	if err := ctx.Err(); err != nil {
		return Result{}, err
	}
	if s.NeedsNetwork() && f.options.WaitNetwork != nil {
		if err := f.options.WaitNetwork(ctx); err != nil {
			return Result{}, fmt.Errorf("cannot wait for the network: %w", err)
		}
	}
	return s.Fetch(ctx)
}

// sources are the ones of the forced platform, else those that Detect names.
func (f *Fetcher) sources() ([]Source, error) {
	facts := readSMBIOS(f.options.Root)
	kinds := Detect(facts)
	if p := f.options.Platform; p != "" {
		var ok bool
		if kinds, ok = forced(p, facts); !ok {
			return nil, fmt.Errorf("cannot use platform %q: unknown (known: %s)", p, strings.Join(Platforms, ", "))
		}
	}
	var out []Source
	for _, k := range kinds {
		s, err := f.source(k, facts)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

func (f *Fetcher) source(k Kind, facts SMBIOS) (Source, error) {
	o := f.options
	switch k {
	case KindFwCfg:
		return fwCfg{root: o.Root}, nil
	case KindNoCloudURL:
		seed, err := parseSeed(facts.Serial)
		if err != nil {
			return nil, err
		}
		return noCloudURL{client: f.client, seed: seed}, nil
	case KindNoCloudVolume:
		return noCloudVolume{root: o.Root, bootDisk: o.BootDisk(), mounter: o.Mounter}, nil
	case KindEC2:
		return ec2{client: f.client, base: o.EC2URL}, nil
	case KindESP:
		return metal{root: o.Root, device: o.ESP(), mounter: o.Mounter}, nil
	}
	return none{}, nil
}

// Platforms that can be forced, sorted.
var Platforms = []string{"ec2", "metal", "nocloud", "none", "qemu"}

// IsPlatform tells whether name can be forced.
func IsPlatform(name string) bool { return slices.Contains(Platforms, name) }

// none is a machine that has no metadata and needs none: the image's own document is all there is.
type none struct{}

func (none) Name() string       { return "none" }
func (none) NeedsNetwork() bool { return false }
func (none) Fetch(context.Context) (Result, error) {
	return Result{Platform: "none", Origin: "no platform"}, nil
}
