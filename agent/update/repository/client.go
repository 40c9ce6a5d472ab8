package repository

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"
	"github.com/theupdateframework/go-tuf/v2/metadata/trustedmetadata"

	"github.com/stele-os/stele/agent/fault"
)

// Options of Open.
type Options struct {
	// Root is the image's root of trust, the bytes of v1alpha1.UpdateRootPath.
	Root []byte
	// Dir holds what must survive: metadata and floors. It is made when something is to be kept.
	Dir string
	// Now is the clock. Nil: time.Now.
	Now func() time.Time
	// BuildTime of the image: no moment before it is believed.
	BuildTime time.Time
	// ClockDoubt tells why Now may be wrong, such as "not synchronised: no time servers"; empty, or nil: it is right.
	ClockDoubt func() string
}

// Client decides what of a repository is true. It is safe for concurrent use; refreshes take turns.
type Client struct {
	// turn is a mutex that ends its wait with a context: the one before may sit before a slow server.
	turn  chan struct{}
	root  []byte
	store store
	o     Options
}

// Open checks the root of trust. It neither reads nor writes Dir.
func Open(o Options) (*Client, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.ClockDoubt == nil {
		o.ClockDoubt = func() string { return "" }
	}
	if _, err := trust(o.Root); err != nil {
		return nil, fmt.Errorf("cannot use the image's root of trust: %w", err)
	}
	return &Client{turn: make(chan struct{}, 1), root: o.Root, store: store{o.Dir}, o: o}, nil
}

func trust(root []byte) (*trustedmetadata.TrustedMetadata, error) {
	if err := screen(root); err != nil {
		return nil, err
	}
	decoded, err := metadata.Root().FromBytes(root)
	if err == nil {
		err = checkRoot(decoded.Signed)
	}
	if err != nil {
		return nil, err
	}
	return trustedmetadata.New(root)
}

// Refresh asks the source for what is newer, verifies it and keeps it. On an error the floors may have risen; nothing else is different.
func (c *Client) Refresh(ctx context.Context, src Source) (targets Targets, err error) {
	if err := c.take(ctx); err != nil {
		return Targets{}, err
	}
	defer c.release()
	// A panic in a decoder of a stranger's bytes must not take PID 1 along. FuzzMetadata knows of none.
	defer func() {
		if p := recover(); p != nil {
			targets, err = Targets{}, fault.New(fault.Internal, "cannot verify %q: panic: %v", src.String(), p)
		}
	}()
	r := c.begin(src)
	for _, step := range []func(context.Context) error{r.roots, r.online, r.timestamp, r.snapshot, r.targets} {
		if err := step(ctx); err != nil {
			return Targets{}, r.explain(err)
		}
	}
	if r.doubt == "" {
		r.floors.Time = r.trusted.RefTime.Unix()
	}
	if err := r.keepFloors(); err != nil {
		return Targets{}, err
	}
	return r.result()
}

// begin sets out from the image's root of trust, always.
func (c *Client) begin(src Source) *refresh {
	trusted, _ := trust(c.root) // Open has checked it
	r := &refresh{source: src, store: c.store, trusted: trusted, doubt: c.o.ClockDoubt()}
	r.kept = newestFloors(c.store.read(floorsName, maxFloorsBytes))
	r.floors = r.kept
	if r.floors.foreignTo(trusted.Root.Signed) {
		r.floors = floors{}
	}
	trusted.RefTime = c.o.Now().UTC()
	if c.o.BuildTime.After(trusted.RefTime) {
		trusted.RefTime = c.o.BuildTime.UTC()
	}
	// A clock that was right once and is in doubt now may be late; one that was right is not made wrong by an earlier one that was not.
	if last := time.Unix(r.floors.Time, 0).UTC(); r.doubt != "" && last.After(trusted.RefTime) {
		trusted.RefTime = last
	}
	return r
}

// explain adds what the one who looks at the error needs: where it came from, and the state of the clock.
func (r *refresh) explain(err error) error {
	if isExpired(err) {
		err = fmt.Errorf("%w; it is %s here", err, r.trusted.RefTime.Format(time.RFC3339))
		if r.doubt != "" {
			err = fmt.Errorf("%w, and the clock is in doubt: %s", err, r.doubt)
		}
	}
	var from sourceError
	if errors.As(err, &from) {
		return fault.As(fault.Unavailable, err)
	}
	return fault.As(fault.Precondition, err)
}
