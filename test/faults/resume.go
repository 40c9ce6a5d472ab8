package faults

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"time"

	nodev1 "github.com/stele-os/stele/api/node/v1"
	"github.com/stele-os/stele/internal/block"
	"github.com/stele-os/stele/operator/node"
	"github.com/stele-os/stele/test/versions"
)

// cutWhileStaging cuts the power when the connection has stalled in the middle of a staging, and the kernel has put on the disk what came before. The old
// version serves, and another staging fetches less than that of a version of the same shape did from its beginning.
func cutWhileStaging(ctx context.Context, m *Machine) (o Outcome, err error) {
	whole, err := m.fetch(ctx, large)
	if err != nil {
		return o, err
	}
	if _, err := m.lab.PublishVersion(ctx, alike); err != nil {
		return o, err
	}
	status, err := m.Status(ctx)
	if err != nil {
		return o, err
	}
	if err := m.stallWhileStaging(ctx, whole/2); err != nil {
		return o, err
	}
	m.Cut()
	m.Web.Flow()
	o.Fault = time.Now()
	if err := m.PowerOn(ctx); err != nil {
		return o, err
	}
	if status, err = m.InService(ctx, Good, status.GetBoots()[0].GetId()); err != nil {
		return o, err
	}
	o.Back, o.Reason = time.Now(), status.GetBoots()[1].GetReason()
	if b := Slot(status, "b"); b.GetCondition() != "writing" {
		return o, fmt.Errorf("after the cut: %v", b)
	}
	again, err := m.fetch(ctx, alike)
	m.setting.Log("%d bytes were fetched for %s, and %d for %s after the cut", whole, large.Number, again, alike.Number)
	if err == nil && again > whole-seen {
		err = fmt.Errorf("a staging fetched %d bytes, and %d after a cut in its middle", whole, again)
	}
	return o, err
}

// fetch publishes and stages a version, and counts what came over the network.
func (m *Machine) fetch(ctx context.Context, v versions.Version) (fetched int64, err error) {
	if _, err := m.lab.PublishVersion(ctx, v); err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	_, err = m.Client.Stage(ctx, v.Number, nil, func(p *nodev1.Progress) { fetched = max(fetched, p.GetFetchedBytes()) })
	return fetched, node.Explain("machine", err)
}

// seen is how much of the staging must be on the disk before the cut.
const seen = 4 << 20

// stallWhileStaging lets so many bytes of a staging through, and waits until the kernel has written some of them (vm.dirty_expire_centisecs: 30 s).
func (m *Machine) stallWhileStaging(ctx context.Context, limit int64) error {
	before, err := m.slotDigests()
	if err != nil {
		return err
	}
	m.Web.StallAfter(limit)
	staging := make(chan error, 1)
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	go func() {
		_, err := m.Client.Stage(ctx, alike.Number, nil, func(*nodev1.Progress) {})
		staging <- err
	}()
	for {
		now, err := m.slotDigests()
		if err != nil {
			return err
		}
		changed := 0
		for i := range now {
			if !bytes.Equal(now[i], before[i]) {
				changed++
			}
		}
		if m.Web.Stalled() && changed<<20 >= 2*seen {
			return nil
		}
		select {
		case err := <-staging:
			return errors.Join(errors.New("the staging has ended"), err)
		case <-time.After(2 * time.Second): // it takes a processor a fifth of a second
		}
	}
}

// slotDigests are those of each MiB of the other slot's root, read from under the machine.
func (m *Machine) slotDigests() (list [][]byte, err error) {
	err = onPartition(m.Disk(), "root-b", func(d block.Device) error {
		r, buffer := io.NewSectionReader(d, 0, d.SizeBytes()), make([]byte, 1<<20)
		for {
			if _, err := io.ReadFull(r, buffer); err != nil {
				return nil // whole MiB: the partition ends
			}
			sum := sha256.Sum256(buffer)
			list = append(list, sum[:])
		}
	})
	return list, err
}
