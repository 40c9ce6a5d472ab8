package slots

import (
	"testing"
)

const goodLine = `root=/dev/dm-0 ro gpt dm-mod.create="root,,,ro,0 64 verity 1 PARTUUID=00112233-4455-6677-8899-aabbccddeeff ` +
	`PARTUUID=ffeeddcc-bbaa-9988-7766-554433221100 4096 4096 8 1 sha256 ` +
	`00112233445566778899aabbccddeeffffeeddccbbaa99887766554433221100 4215 1 panic_on_corruption" quiet`

func TestRootHashOf(t *testing.T) {
	const want = "00112233445566778899aabbccddeeffffeeddccbbaa99887766554433221100"
	if got, err := rootHashOf([]byte(goodLine + "\x00")); err != nil || got != want {
		t.Errorf("%q, %v", got, err)
	}
	for name, line := range map[string]string{
		"no verity":        "root=/dev/vda2",
		"empty":            "",
		"other partitions": `dm-mod.create="root,,,ro,0 64 verity 1 PARTUUID=00112233-4455-6677-8899-aabbccddeef0 PARTUUID=ffeeddcc-bbaa-9988-7766-554433221100 4096 4096 8 1 sha256 ` + want + ` 42"`,
		"short hash":       `dm-mod.create="root,,,ro,0 64 verity 1 a b 4096 4096 8 1 sha256 0011 42"`,
		"linear":           `dm-mod.create="root,,,ro,0 64 linear /dev/vda 0 a b c d e f g h i j"`,
	} {
		if got, err := rootHashOf([]byte(line)); err == nil {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// FuzzRootHashOf: whatever a command line holds, what comes out is a root hash or an error.
func FuzzRootHashOf(f *testing.F) {
	f.Add([]byte(goodLine))
	f.Add([]byte(`dm-mod.create=",,,,`))
	f.Fuzz(func(t *testing.T, line []byte) {
		got, err := rootHashOf(line)
		if err == nil && len(got) != 64 {
			t.Fatalf("root hash %q", got)
		}
	})
}

func TestOwnNames(t *testing.T) {
	for _, c := range []struct {
		file           string
		own, temporary bool
	}{
		{"stele_1.0.0.efi", true, false},
		{"stele_1.0.0+3-1.efi", true, false},
		{"stele_1.0.0+0.efi.new", false, true},
		{"other_1.0.0.efi", false, false},
		{"other_1.0.0.efi.new", false, false},
		{"stele.efi", false, false},
		{"notes.txt", false, false},
	} {
		if _, own := ownName(c.file); own != c.own || isTemporary(c.file) != c.temporary {
			t.Errorf("%s: own %v, temporary %v", c.file, own, isTemporary(c.file))
		}
	}
}
