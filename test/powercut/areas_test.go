package powercut

import (
	"testing"

	"github.com/stele-os/stele/internal/dmlog"
	"github.com/stele-os/stele/internal/gpt"
)

func TestAreas(t *testing.T) {
	table := gpt.New(gpt.GUID{1}, 1<<20, 512)
	table.Partitions = []gpt.Partition{
		{Number: 1, Name: "esp", FirstLBA: 100, LastLBA: 199}, {Number: 2, Name: "root-a", FirstLBA: 200, LastLBA: 299},
		{Number: 3, Name: "verity-b", FirstLBA: 300, LastLBA: 399}, {Number: 4, Name: "var", FirstLBA: 400, LastLBA: 499},
	}
	entry := func(lba, bytes int64) dmlog.Entry { return dmlog.Entry{Offset: lba * 512, Bytes: bytes} }
	log := &dmlog.Log{Entries: []dmlog.Entry{
		entry(1, 512), {Flags: dmlog.Flush}, entry(100, 4096), entry(199, 512), entry(150, 8192), entry(200, 512), entry(399, 512),
		{Flags: dmlog.Mark, Text: "half"}, {Flags: dmlog.Discard, Offset: 400 * 512, Bytes: 512}, {Flags: dmlog.Flush}, entry(600, 512), entry(2008, 8*512),
	}}
	want := []string{"gpt", "gpt", "esp", "esp", "esp-data", "slot", "slot", "", "var", "var", "var", "gpt"}
	got := log.Classify(areasOf(table, 1<<20).of)
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("entry %d is of %q, not %q", i, got[i], want[i])
		}
	}
	text := ""
	for _, c := range tallies(log, got) {
		text += c.String() + "\n"
	}
	want2 := `esp: 2 writes (0.0 MiB), 0 flushes, 0 discards
esp-data: 1 writes (0.0 MiB), 0 flushes, 0 discards
gpt: 2 writes (0.0 MiB), 1 flushes, 0 discards
slot: 2 writes (0.0 MiB), 0 flushes, 0 discards
var: 1 writes (0.0 MiB), 1 flushes, 1 discards
`
	if text != want2 {
		t.Errorf("%s", text)
	}
}
