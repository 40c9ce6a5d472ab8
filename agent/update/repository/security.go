package repository

import (
	"context"
	"fmt"

	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// SecurityFloor is the highest security version that this machine has committed, as far as it is kept; 0 where nothing is.
func (c *Client) SecurityFloor(ctx context.Context) (int64, error) {
	if err := c.take(ctx); err != nil {
		return 0, err
	}
	defer c.release()
	return c.begin(nil).floors.Security, nil
}

// RaiseSecurityFloor keeps a security version that was committed. It never lowers one.
func (c *Client) RaiseSecurityFloor(ctx context.Context, version int64) error {
	if err := c.take(ctx); err != nil {
		return err
	}
	defer c.release()
	r := c.begin(nil)
	if version <= r.floors.Security {
		return nil
	}
	r.floors.Security = version
	if len(r.floors.RootKeys) == 0 { // the first floor of this lineage
		r.floors.RootKeys = keyIDs(r.trusted.Root.Signed, metadata.ROOT)
	}
	if err := r.keepFloors(); err != nil {
		return fmt.Errorf("cannot keep security version %d: %w", version, err)
	}
	return nil
}

// take waits for the client's turn, release ends it.
func (c *Client) take(ctx context.Context) error {
	select {
	case c.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (c *Client) release() { <-c.turn }
