package powercut

import (
	"bytes"
	"sync"

	"github.com/stele-os/stele/internal/block"
)

// Op is one write, or a flush where Data is nil.
type Op struct {
	Offset int64
	Data   []byte
	// Step is what the program said it was doing (Recorder.Step).
	Step string
}

// Flush tells whether the operation is a flush.
func (o Op) Flush() bool { return o.Data == nil }

// Log is what was written, in order.
type Log []Op

// Writes counts the writes; the rest are flushes.
func (l Log) Writes() (n int) {
	for _, op := range l {
		if !op.Flush() {
			n++
		}
	}
	return n
}

// Apply does the first n operations on a device.
func (l Log) Apply(d block.Device, n int) error {
	for _, op := range l[:n] {
		if op.Flush() {
			continue
		}
		if _, err := d.WriteAt(op.Data, op.Offset); err != nil {
			return err
		}
	}
	return nil
}

// Recorder is a device that notes what is written to the one below it. It may be used from several goroutines.
type Recorder struct {
	block.Device
	lock sync.Mutex
	log  Log
	step string
}

// Record returns a device that behaves as d and notes all writes and flushes.
func Record(d block.Device) *Recorder { return &Recorder{Device: d} }

// Step names what the following writes belong to, for the words in which a state is described.
func (r *Recorder) Step(name string) {
	r.lock.Lock()
	defer r.lock.Unlock()
	r.step = name
}

// Log returns what was written so far.
func (r *Recorder) Log() Log {
	r.lock.Lock()
	defer r.lock.Unlock()
	return append(Log(nil), r.log...)
}

// WriteAt writes below and notes it where that succeeds.
func (r *Recorder) WriteAt(p []byte, at int64) (int, error) {
	r.lock.Lock()
	defer r.lock.Unlock()
	n, err := r.Device.WriteAt(p, at)
	if err == nil && len(p) > 0 {
		r.log = append(r.log, Op{Offset: at, Data: bytes.Clone(p), Step: r.step})
	}
	return n, err
}

// Flush flushes below and notes it. A flush behind a flush is noted once.
func (r *Recorder) Flush() error {
	r.lock.Lock()
	defer r.lock.Unlock()
	if err := r.Device.Flush(); err != nil {
		return err
	}
	if n := len(r.log); n > 0 && !r.log[n-1].Flush() {
		r.log = append(r.log, Op{Step: r.step})
	}
	return nil
}

// ReadMedium reads around caches where the device below can.
func (r *Recorder) ReadMedium(p []byte, at int64) (int, error) {
	return block.Medium(r.Device).ReadAt(p, at)
}
