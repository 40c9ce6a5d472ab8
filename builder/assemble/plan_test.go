package assemble

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stele-os/stele/api/v1alpha1"
	"github.com/stele-os/stele/internal/gpt"
	"github.com/stele-os/stele/internal/verity"
)

func TestLayout(t *testing.T) {
	v := Verity{RootHash: verity.Digest{0x11, 16: 0x22}}
	table, err := planTable(v1alpha1.ImageInfo{Name: "a", Version: "1", Architecture: "arm64"}, Sizes{}, v)
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	for _, p := range table.Partitions {
		fmt.Fprintf(&got, "%d %s %d MiB\n", p.Number, p.Name, table.SizeBytes(p)>>20)
	}
	const want = "1 esp 512 MiB\n2 root-a 1024 MiB\n3 root-a-verity 9 MiB\n4 root-b 1024 MiB\n5 root-b-verity 9 MiB\n6 var 128 MiB\n"
	if got.String() != want {
		t.Errorf("got\n%s\nwant\n%s", &got, want)
	}
	if table.Partitions[1].GUID.String() != "11000000-0000-0000-0000-000000000000" || table.Partitions[2].GUID.String() != "22000000-0000-0000-0000-000000000000" ||
		table.Partitions[1].Type != gpt.TypeRootARM64 {
		t.Errorf("%+v", table.Partitions)
	}
}

func TestCommandLine(t *testing.T) {
	v := Verity{RootHash: verity.Digest{1}, DataBlocks: 10}
	line, err := CommandLine(v, []string{"panic=10"})
	if err != nil || !strings.HasPrefix(line, `root=/dev/dm-0 ro rootfstype=erofs gpt dm-mod.create="root,,,ro,0 80 verity 1 PARTUUID=01000000-`) || !strings.HasSuffix(line, " 1 panic_on_corruption\" panic=10") {
		t.Errorf("%q, %v", line, err)
	}
	for _, word := range []string{"root=/dev/sda", "rootwait", "dm-mod.waitfor=x", "dm_mod.waitfor=x", "init=/x", "a b", `a"`, "", strings.Repeat("x", 2000)} {
		if _, err := CommandLine(v, []string{word}); err == nil {
			t.Errorf("%q was accepted", word)
		}
	}
}
