package block

// mediumReader is a device that can read around the page cache.
type mediumReader interface {
	ReadMedium(p []byte, at int64) (int, error)
}

// Medium returns d with reads that come from the medium instead of from memory, where d can do that (File, and Sections of one): for
// reading back what was written and flushed. Other devices are returned as they are.
func Medium(d Device) Device {
	if r, ok := d.(mediumReader); ok {
		return medium{d, r}
	}
	return d
}

type medium struct {
	Device
	reader mediumReader
}

func (m medium) ReadAt(p []byte, at int64) (int, error)     { return m.reader.ReadMedium(p, at) }
func (m medium) ReadMedium(p []byte, at int64) (int, error) { return m.reader.ReadMedium(p, at) }
