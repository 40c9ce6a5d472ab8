package slots

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stele-os/stele/agent/update/slotstest"
	"github.com/stele-os/stele/internal/block"
	"github.com/stele-os/stele/internal/bootmodel"
)

// TestOnAFile: what memory cannot show, reading back from the medium, on a file.
func TestOnAFile(t *testing.T) {
	v0, v1 := slotstest.Make(t, "1.0.0", slotstest.RootBytes), slotstest.Make(t, "1.1.0", slotstest.RootBytes)
	memory := slotstest.Factory(t, v0)
	path := filepath.Join(t.TempDir(), "disk")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(file, io.NewSectionReader(memory, 0, memory.SizeBytes())); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	device, err := block.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	defer device.Close()
	if err := stage(open(t, device, v0), v1); err != nil {
		t.Fatal(err)
	}
	if err := open(t, device, v0).Arm("1.1.0"); err != nil {
		t.Fatal(err)
	}
	if r := bootmodel.Boot(device); r.Version != "1.1.0" {
		t.Errorf("%s", r)
	}
	slotstest.Load(t, device)
	if err := open(t, device, v1).Commit(); err != nil {
		t.Fatal(err)
	}
	if to, err := open(t, device, v1).RollBack(context.Background()); err != nil || to != "1.0.0" {
		t.Errorf("%q, %v", to, err)
	}
	if r := bootmodel.Boot(device); r.Version != "1.0.0" || len(r.Failed) > 0 {
		t.Errorf("%s", r)
	}
}
