package logs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// Kernel yields the kernel's records, one at each Read, from the oldest that is kept (Documentation/ABI/testing/dev-kmsg of Linux).
type Kernel interface {
	io.ReadCloser
	// Uptime is the clock of the records' times.
	Uptime() time.Duration
}

// errNothingYet is EAGAIN: all that there is has been read.
var errNothingYet = unix.EAGAIN

// kmsg is /dev/kmsg, read without ever waiting in the kernel.
type kmsg struct{ fd int }

// OpenKernel opens /dev/kmsg.
func OpenKernel() (Kernel, error) {
	fd, err := unix.Open("/dev/kmsg", unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("cannot open the kernel's log %q: %w", "/dev/kmsg", err)
	}
	return kmsg{fd}, nil
}

func (k kmsg) Read(p []byte) (int, error) { return unix.Read(k.fd, p) }
func (k kmsg) Close() error               { return unix.Close(k.fd) }

func (k kmsg) Uptime() time.Duration {
	var now unix.Timespec
	if unix.ClockGettime(unix.CLOCK_MONOTONIC, &now) != nil {
		return 0
	}
	return time.Duration(now.Nano())
}

const (
	// kernelTailMax bounds the lines that a tail holds; the kernel's own buffer holds fewer.
	kernelTailMax = 4096
	// kernelRecordBytes is more than the kernel writes of one record (PRINTKRB_RECORD_MAX, 1 KiB of text and its dictionary).
	kernelRecordBytes = 8 << 10
)

// ReadKernel hands the kernel's lines to emit until there are no more, or with Follow until ctx ends or emit fails.
func ReadKernel(ctx context.Context, k Kernel, now func() time.Time, q Query, emit func(Entry) error) error {
	r := kernelReader{kernel: k, buffer: make([]byte, kernelRecordBytes), started: now().Add(-k.Uptime())}
	if q.Tail > 0 {
		if err := r.tail(ctx, q, emit); err != nil {
			return err
		}
	}
	for {
		entry, err := r.next()
		switch {
		case errors.Is(err, errNothingYet) && !q.Follow:
			return nil
		case errors.Is(err, errNothingYet):
			if err := pause(ctx); err != nil {
				return err
			}
		case err != nil:
			return fmt.Errorf("cannot read the kernel's log: %w", err)
		default:
			if err := pass(ctx, q, entry, emit); err != nil {
				return err
			}
		}
	}
}

type kernelReader struct {
	kernel  Kernel
	buffer  []byte
	started time.Time
}

// next returns the next line that is one; records that were overwritten meanwhile (EPIPE) become a line that says so.
func (r *kernelReader) next() (Entry, error) {
	for {
		n, err := r.kernel.Read(r.buffer)
		switch {
		case errors.Is(err, unix.EPIPE):
			return Entry{Line: "(lines are lost: the kernel wrote faster than they were read)"}, nil
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return Entry{}, err
		}
		if entry, ok := DecodeKernel(r.buffer[:n], r.started); ok {
			return entry, nil
		}
	}
}

// tail reads all that there is and emits the end of it.
func (r *kernelReader) tail(ctx context.Context, q Query, emit func(Entry) error) error {
	last := make([]Entry, 0, 64)
	n := min(q.Tail, kernelTailMax)
	for {
		entry, err := r.next()
		if errors.Is(err, errNothingYet) {
			break
		}
		if err != nil {
			return fmt.Errorf("cannot read the kernel's log: %w", err)
		}
		if last = append(last, entry); len(last) > 2*n {
			last = append(last[:0], last[len(last)-n:]...)
		}
	}
	for _, entry := range last[max(0, len(last)-n):] {
		if err := pass(ctx, q, entry, emit); err != nil {
			return err
		}
	}
	return nil
}

func pass(ctx context.Context, q Query, e Entry, emit func(Entry) error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if !q.wants(e) {
		return nil
	}
	return emit(e)
}

// DecodeKernel reads one record: "<priority>,<sequence>,<microseconds>,<flags>[,...];<text>\n", then lines of a dictionary, each behind a space.
func DecodeKernel(record []byte, started time.Time) (Entry, bool) {
	head, text, ok := bytes.Cut(record, []byte(";"))
	fields := bytes.Split(head, []byte(","))
	if !ok || len(fields) < 3 {
		return Entry{}, false
	}
	usec, err := strconv.ParseUint(string(fields[2]), 10, 53)
	if err != nil {
		return Entry{}, false
	}
	line, _, _ := bytes.Cut(text, []byte("\n"))
	return Entry{Time: started.Add(time.Duration(usec) * time.Microsecond), Line: valid(line)}, true
}

func pause(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(pollPeriod):
		return nil
	}
}
