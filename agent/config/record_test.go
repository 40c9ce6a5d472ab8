package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/stele-os/stele/agent/metadata"
)

var sampleResult = metadata.Result{Platform: "qemu", Origin: "fw_cfg opt/stele/config", Hostname: "vm", InstanceID: "i-1", UserData: []byte("a: b\n")}

func TestLastGood(t *testing.T) {
	kept := lastGood{filepath.Join(t.TempDir(), "document")}
	if _, err := kept.load(); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("nothing kept: %v", err)
	}
	if err := kept.save(metadata.Result{Platform: "old"}); err != nil {
		t.Fatal(err)
	}
	if err := kept.save(sampleResult); err != nil {
		t.Fatal(err)
	}
	if got, err := kept.load(); err != nil || !reflect.DeepEqual(got, sampleResult) {
		t.Errorf("%+v, %v", got, err)
	}
	if entries, _ := os.ReadDir(kept.dir); len(entries) != 1 {
		t.Errorf("left behind: %v", entries)
	}
}

// Every prefix of a record, and every record with one byte changed, is torn.
func TestTornRecords(t *testing.T) {
	record := encodeRecord(sampleResult)
	for i := range record {
		if _, err := decodeRecord(record[:i]); err == nil {
			t.Errorf("the first %d bytes are taken", i)
		}
		flipped := append([]byte(nil), record...)
		flipped[i] ^= 1
		if _, err := decodeRecord(flipped); err == nil {
			t.Errorf("byte %d may change", i)
		}
	}
	kept := lastGood{t.TempDir()}
	if err := os.WriteFile(kept.path(), record[:len(record)-1], 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := kept.load(); !errors.Is(err, errTorn) {
		t.Errorf("load: %v", err)
	}
}

func FuzzRecord(f *testing.F) {
	f.Add(encodeRecord(sampleResult))
	f.Add([]byte(recordMagic + "sha256:00\n{}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		first, err := decodeRecord(data)
		if err != nil {
			return
		}
		if again, err := decodeRecord(encodeRecord(first)); err != nil || !reflect.DeepEqual(again, first) {
			t.Errorf("%+v became %+v, %v", first, again, err)
		}
	})
}
