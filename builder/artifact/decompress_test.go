package artifact

import (
	"os"
	"testing"

	"github.com/klauspost/compress/zstd"
)

func decompress(t *testing.T, from, to string) {
	t.Helper()
	content, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	decoder, err := zstd.NewReader(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer decoder.Close()
	plain, err := decoder.DecodeAll(content, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(plain) != VarSizeBytes {
		t.Errorf("the file system has %d bytes, want %d", len(plain), VarSizeBytes)
	}
	if err := os.WriteFile(to, plain, 0o644); err != nil {
		t.Fatal(err)
	}
}
