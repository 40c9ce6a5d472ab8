package system

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/stele-os/stele/agent/state"
	"github.com/stele-os/stele/internal/efisig"
)

const (
	global   = "-8be4df61-93ca-11d2-aa0d-00e098032b8c"
	security = "-d719b2cb-3d3a-4596-a3bc-dad00e67656f"
)

// variables makes a directory like efivarfs.
func variables(t *testing.T, files map[string]string) string {
	t.Helper()
	root := filepath.Join(t.TempDir(), "efi", "efivars")
	if files == nil {
		return root
	}
	if err := os.MkdirAll(root, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(root, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestReadSecureBoot(t *testing.T) {
	const on, off = "\x06\x00\x00\x00\x01", "\x06\x00\x00\x00\x00"
	for name, c := range map[string]struct {
		files map[string]string
		want  string
	}{
		"on":                 {map[string]string{"SecureBoot" + global: on, "SetupMode" + global: off}, state.SecureBootEnabled},
		"off":                {map[string]string{"SecureBoot" + global: off, "SetupMode" + global: off}, state.SecureBootDisabled},
		"setup mode":         {map[string]string{"SecureBoot" + global: off, "SetupMode" + global: on}, state.SecureBootSetup},
		"unknown to it":      {map[string]string{"BootOrder" + global: off}, state.SecureBootDisabled},
		"no UEFI":            {nil, state.SecureBootNone},
		"nothing to be read": {map[string]string{}, state.SecureBootUnknown},
		"cut off":            {map[string]string{"SecureBoot" + global: "\x06"}, state.SecureBootUnknown},
		"too long":           {map[string]string{"SecureBoot" + global: on + on}, state.SecureBootUnknown},
	} {
		got := ReadSecureBoot(variables(t, c.files))
		if got.State != c.want || got.State == state.SecureBootUnknown && !strings.Contains(got.Reason, "EFI variable SecureBoot") {
			t.Errorf("%s: %+v, not %s", name, got, c.want)
		}
	}
}

func TestReadSignatures(t *testing.T) {
	digest := efisig.Digest([16]byte{1}, [32]byte{2})
	list := "\x27\x00\x00\x00" + string(efisig.Encode([]efisig.Entry{digest}))
	got, err := ReadSignatures(variables(t, map[string]string{"db" + security: list}))
	if err != nil || !reflect.DeepEqual(got, efisig.Policy{DB: []efisig.Entry{digest}}) {
		t.Errorf("%+v, %v", got, err)
	}
	for _, name := range []string{"db", "dbx"} {
		_, err = ReadSignatures(variables(t, map[string]string{"db" + security: list, name + security: list[:len(list)-1]}))
		if err == nil || !strings.Contains(err.Error(), "EFI variable "+name+":") {
			t.Errorf("%s cut off: %v", name, err)
		}
	}
}
