package block

import (
	"io"
	"maps"
	"sync"
)

const (
	// pageBytes is the unit that clones share.
	pageBytes = 4096
	// maxLayers bounds how many layers a read goes through before a clone is made flat.
	maxLayers = 8
)

// Memory is a device in memory that reads as zero where nothing was written, and takes memory only where something was. Clones
// share what they have in common. It may be used from several goroutines.
type Memory struct {
	size, sector int64

	lock sync.Mutex
	top  *layer // written by this Memory alone
}

// layer is a set of pages over another one, which nobody writes any more.
type layer struct {
	pages map[int64]*[pageBytes]byte
	below *layer
}

// NewMemory returns a device of sizeBytes that reads as zero.
func NewMemory(sizeBytes, sectorSize int64) *Memory {
	return &Memory{size: sizeBytes, sector: sectorSize, top: &layer{pages: map[int64]*[pageBytes]byte{}}}
}

// Clone returns a device with the same content. What either writes afterwards the other does not see.
func (m *Memory) Clone() *Memory {
	m.lock.Lock()
	defer m.lock.Unlock()
	shared := m.top
	if len(shared.pages) == 0 && shared.below != nil {
		shared = shared.below
	} else {
		m.top = &layer{pages: map[int64]*[pageBytes]byte{}, below: shared}
	}
	if shared.depth() >= maxLayers {
		shared = shared.flat()
		m.top.below = shared
	}
	return &Memory{size: m.size, sector: m.sector, top: &layer{pages: map[int64]*[pageBytes]byte{}, below: shared}}
}

// Flush does nothing: what was written is there.
func (m *Memory) Flush() error { return nil }

// SizeBytes is the length given to NewMemory.
func (m *Memory) SizeBytes() int64 { return m.size }

// SectorSize is the one given to NewMemory.
func (m *Memory) SectorSize() int64 { return m.sector }

// ReadAt reads up to the end of the device.
func (m *Memory) ReadAt(p []byte, at int64) (int, error) {
	if at < 0 || at > m.size {
		return 0, ErrOutside
	}
	var end error
	if rest := m.size - at; int64(len(p)) > rest {
		p, end = p[:rest], io.EOF
	}
	m.lock.Lock()
	defer m.lock.Unlock()
	eachPage(p, at, func(part []byte, number, offset int64) {
		if page := m.top.page(number); page != nil {
			copy(part, page[offset:])
		} else {
			clear(part)
		}
	})
	return len(p), end
}

// WriteAt writes all of p, or nothing where it would leave the device.
func (m *Memory) WriteAt(p []byte, at int64) (int, error) {
	if at < 0 || at+int64(len(p)) > m.size {
		return 0, ErrOutside
	}
	m.lock.Lock()
	defer m.lock.Unlock()
	eachPage(p, at, func(part []byte, number, offset int64) {
		page := m.top.pages[number]
		if page == nil {
			page = new([pageBytes]byte)
			if below := m.top.page(number); below != nil {
				*page = *below
			}
			m.top.pages[number] = page
		}
		copy(page[offset:], part)
	})
	return len(p), nil
}

func eachPage(p []byte, at int64, visit func(part []byte, number, offset int64)) {
	for len(p) > 0 {
		offset := at % pageBytes
		part := p[:min(int64(len(p)), pageBytes-offset)]
		visit(part, at/pageBytes, offset)
		p, at = p[len(part):], at+int64(len(part))
	}
}

func (l *layer) page(number int64) *[pageBytes]byte {
	for ; l != nil; l = l.below {
		if page := l.pages[number]; page != nil {
			return page
		}
	}
	return nil
}

func (l *layer) depth() (n int) {
	for ; l != nil; l = l.below {
		n++
	}
	return n
}

// flat returns one layer with everything of l.
func (l *layer) flat() *layer {
	if l.below == nil {
		return l
	}
	all := maps.Clone(l.below.flat().pages)
	maps.Copy(all, l.pages)
	return &layer{pages: all}
}
