package fat

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stele-os/stele/internal/block"
)

// TestMemoryStaysBounded works on a volume of 32 GiB, whose tables have 8 MiB each, in less than one MiB a call.
func TestMemoryStaysBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "volume")
	check(t, os.WriteFile(path, nil, 0o600))
	check(t, os.Truncate(path, 32<<30))
	d, err := block.OpenFile(path)
	check(t, err)
	defer d.Close()
	p := testParams
	p.SizeBytes = d.SizeBytes()
	check(t, Write(d, p, volumeFiles()))
	v := open(t, d)
	const size = 8 << 20
	for name, call := range map[string]func() error{
		"create": func() error { return v.Create(linux+"/new", size, zeros(size)) },
		"repair": func() error { _, err := v.Repair(linux); return err },
		"free":   func() error { _, err := v.FreeBytes(); return err },
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		check(t, call())
		runtime.ReadMemStats(&after)
		if got := after.TotalAlloc - before.TotalAlloc; got > 1<<20 {
			t.Errorf("%s: %d KiB", name, got>>10)
		} else {
			t.Logf("%s: %d KiB", name, got>>10)
		}
	}
}
