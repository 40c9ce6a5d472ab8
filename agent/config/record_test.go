package config

import (
	"errors"
	"io/fs"
	"reflect"
	"strings"
	"testing"

	"github.com/stele-os/stele/agent/metadata"
)

var sampleResult = metadata.Result{Platform: "qemu", Origin: "fw_cfg opt/stele/config", Hostname: "vm", InstanceID: "i-1", UserData: []byte("a: b\n")}

func TestLastGood(t *testing.T) {
	documents := emptyStore(t)
	if _, err := documents.lastGood(); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("nothing kept: %v", err)
	}
	if err := documents.keepLastGood(metadata.Result{Platform: "old"}); err != nil {
		t.Fatal(err)
	}
	if err := documents.keepLastGood(sampleResult); err != nil {
		t.Fatal(err)
	}
	if got, err := documents.lastGood(); err != nil || !reflect.DeepEqual(got, sampleResult) {
		t.Errorf("%+v, %v", got, err)
	}
}

// Every prefix of a record, and every record with one byte changed, is torn.
func TestTornRecords(t *testing.T) {
	record := encodeMetadata(sampleResult)
	for i := range record {
		if _, err := decodeMetadata(record[:i]); err == nil {
			t.Errorf("the first %d bytes are taken", i)
		}
		flipped := append([]byte(nil), record...)
		flipped[i] ^= 1
		if _, err := decodeMetadata(flipped); err == nil {
			t.Errorf("byte %d may change", i)
		}
	}
	documents := emptyStore(t)
	if err := documents.store.Write("", lastGoodFile, record[:len(record)-1]); err != nil {
		t.Fatal(err)
	}
	if _, err := documents.lastGood(); !errors.Is(err, errTorn) {
		t.Errorf("load: %v", err)
	}
}

func FuzzRecord(f *testing.F) {
	f.Add(encodeMetadata(sampleResult))
	f.Add([]byte(metadataMagic + "sha256:00\n{}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		first, err := decodeMetadata(sealed(metadataMagic, data))
		if err != nil {
			return
		}
		if again, err := decodeMetadata(encodeMetadata(first)); err != nil || !reflect.DeepEqual(again, first) {
			t.Errorf("%+v became %+v, %v", first, again, err)
		}
	})
}

func FuzzAPIRecord(f *testing.F) {
	f.Add([]byte(`{"caller":"CN=a","time":"2026-01-02T03:04:05Z","metadata":"sha256:00"}` + "\nkind: Machine\n"))
	f.Add([]byte(`{"caller":"CN=a","time":"2026-01-02T03:04:05Z","revertAt":"2026-01-02T03:05:05.5+01:00"}` + "\n"))
	f.Add([]byte("{}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		first, err := decodeAPI(sealed(apiMagic, data))
		if err != nil {
			return
		}
		again, err := decodeAPI(encodeAPI(first))
		if err != nil || string(again.Document) != string(first.Document) || again.Caller != first.Caller || !again.Time.Equal(first.Time) || !again.RevertAt.Equal(first.RevertAt) {
			t.Errorf("%+v became %+v, %v", first, again, err)
		}
	})
}

// sealed puts the right first line before a body that has none, so that fuzzing gets behind the digest.
func sealed(magic string, data []byte) []byte {
	if strings.HasPrefix(string(data), magic) {
		return data
	}
	return append([]byte(magic+digest(data)+"\n"), data...)
}
