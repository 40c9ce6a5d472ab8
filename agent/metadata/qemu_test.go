package metadata

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// An item that says it is too large is not read.
func TestFwCfgLooksAtTheSize(t *testing.T) {
	root := t.TempDir()
	item := filepath.Join(root, "sys/firmware/qemu_fw_cfg/by_name", fwCfgDocument)
	if err := os.MkdirAll(item, 0o755); err != nil {
		t.Fatal(err)
	}
	for size, want := range map[string]string{"4\n": "", "1048577\n": "larger than the limit of 1048576 bytes", "many": ""} {
		for name, content := range map[string]string{"size": size, "raw": "text"} {
			if err := os.WriteFile(filepath.Join(item, name), []byte(content), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		result, err := fwCfg{root: root}.Fetch(t.Context())
		if want == "" && (err != nil || string(result.UserData) != "text") || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("size %q: %q, %v", size, result.UserData, err)
		}
	}
}
