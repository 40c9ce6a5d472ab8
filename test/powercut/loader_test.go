//go:build qemu

package powercut

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/stele-os/stele/internal/bls"
	"github.com/stele-os/stele/internal/bootmodel"
	"github.com/stele-os/stele/internal/fat"
	"github.com/stele-os/stele/internal/vm"
	"github.com/stele-os/stele/test/qemu/machine"
	"github.com/stele-os/stele/test/scratch"
)

// loaderEntry is a UKI of the image's own root under another name, with another version in its os-release.
type loaderEntry struct{ file, version string }

// The real loader starts what the model says, and renames it so: internal/bls holds to systemd-boot, not only to its source as we read it.
func TestLoaderChoosesAsTheModel(t *testing.T) {
	t.Parallel()
	for name, list := range map[string][]loaderEntry{
		"one version good and counted":   {{"stele_0.1.0.efi", "0.1.0"}, {"stele_0.1.0+2.efi", "0.1.0"}},
		"one version counted twice":      {{"stele_0.1.0+1-1.efi", "0.1.0"}, {"stele_0.1.0+1-3.efi", "0.1.0"}},
		"one version counted and good":   {{"stele_0.1.0+2.efi", "0.1.0"}, {"stele_0.1.0.efi", "0.1.0"}},
		"malformed counter":              {{"stele_0.1.0.efi", "0.1.0"}, {"stele_0.2.0+x.efi", "0.2.0"}},
		"counter of another extension":   {{"stele_0.1.0.efi", "0.1.0"}, {"stele_0.2.0+2.EFI", "0.2.0"}},
		"counter too large":              {{"stele_0.1.0.efi", "0.1.0"}, {"stele_0.2.0+2147483648.efi", "0.2.0"}},
		"staged":                         {{"stele_0.2.0+0.efi", "0.2.0"}, {"stele_0.1.0.efi", "0.1.0"}},
		"all bad":                        {{"stele_0.1.0+0-5.efi", "0.1.0"}, {"stele_0.2.0+0-1.efi", "0.2.0"}},
		"os-release beats the name":      {{"stele_0.9.0+2.efi", "0.1.0"}, {"stele_0.2.0+3.efi", "0.2.0"}},
		"pre-release behind its release": {{"stele_0.1.0.efi", "0.1.0"}, {"stele_0.1~0.efi", "0.1~0"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := scratch.Dir(t)
			base := newBase(t, dir, image)
			putEntries(t, base, list)
			expected := judge(t, bootmodel.New(), base)
			got := list[bootedEntry(t, dir, base)].file
			n, err := bls.ParseName(got)
			if err != nil {
				t.Fatal(err)
			}
			if names := entries(t, base); expected.Entry != n.Tried().String() || !slices.Contains(names, expected.Entry) {
				t.Errorf("the machine boots %s and leaves %q; model: %s", got, names, expected)
			}
		})
	}
}

// putEntries replaces the image's own entry. The n-th has "tag=n" on its command line.
func putEntries(t *testing.T, disk string, list []loaderEntry) {
	t.Helper()
	content, err := os.ReadFile(image.File("uki.efi"))
	if err != nil {
		t.Fatal(err)
	}
	onESP(t, disk, func(v *fat.Volume) error {
		if err := v.Remove("EFI/Linux/stele_" + image.Manifest.Version + ".efi"); err != nil {
			return err
		}
		for i, e := range list {
			uki := patch(t, content, fmt.Sprintf("IMAGE_VERSION=%q", image.Manifest.Version), fmt.Sprintf("IMAGE_VERSION=%q", e.version))
			uki = patch(t, uki, " quiet ", fmt.Sprintf(" tag=%d ", i))
			if err := v.Create("EFI/Linux/"+e.file, int64(len(uki)), bytes.NewReader(uki)); err != nil {
				return err
			}
		}
		return nil
	})
}

// patch replaces text of the same length.
func patch(t *testing.T, content []byte, from, to string) []byte {
	t.Helper()
	if len(from) != len(to) || bytes.Count(content, []byte(from)) != 1 {
		t.Fatalf("cannot put %q for %q", to, from)
	}
	return bytes.Replace(content, []byte(from), []byte(to), 1)
}

// bootedEntry is the number of the entry that boots. The kernel says its command line three times, since a serial line on a busy host loses letters.
func bootedEntry(t *testing.T, dir, disk string) int {
	t.Helper()
	m, err := vm.Start(t.Context(), image.VM(machine.Options{Dir: dir, Disk: disk, NoNetwork: true}))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	ctx, cancel := context.WithTimeout(t.Context(), bootTimeout)
	defer cancel()
	line, err := m.Expect(ctx, `ommand line.*\btag=(\d)`)
	if err != nil {
		t.Fatalf("%v; by hand: %s", err, m.Command)
	}
	m.Cut()
	return int(line.Groups[1][0] - '0')
}
