package artifact

import (
	"context"
	"debug/elf"
	"encoding/json"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// KernelSizesName is a JSON object that a kernel build leaves: directory of the source tree to the bytes that its objects bring into the
// kernel before compression (test/bench groups them). Objects of lib.a are left out: the linker takes few of them.
const KernelSizesName = "sizes.json"

// measureObjects sums the objects of vmlinux.a, the archive that vmlinux is linked from (scripts/Makefile.vmlinux).
func (t kernelTree) measureObjects(ctx context.Context) (map[string]int64, error) {
	var objects []string
	list := func(line string) {
		if strings.HasSuffix(line, ".o") {
			objects = append(objects, line)
		}
	}
	if err := t.run(ctx, list, t.toolchain.archiver(), "t", "vmlinux.a"); err != nil {
		return nil, err
	}
	sizes := map[string]int64{}
	for _, object := range objects {
		size, err := loadedBytes(filepath.Join(t.dir, object))
		if err != nil {
			return nil, fmt.Errorf("cannot measure kernel object %q: %w", object, err)
		}
		sizes[path.Dir(object)] += size
	}
	return sizes, nil
}

// loadedBytes are the sections of an object that end up in memory and come from the image: SHF_ALLOC, but no SHT_NOBITS (ELF specification, 1-11).
func loadedBytes(path string) (int64, error) {
	file, err := elf.Open(path)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	var total int64
	for _, section := range file.Sections {
		if section.Flags&elf.SHF_ALLOC != 0 && section.Type != elf.SHT_NOBITS {
			total += int64(section.Size)
		}
	}
	return total, nil
}

func (t kernelTree) writeSizes(ctx context.Context) error {
	sizes, err := t.measureObjects(ctx)
	if err != nil {
		return err
	}
	text, err := json.MarshalIndent(sizes, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(t.build.OutputDir, KernelSizesName), append(text, '\n'), 0o644)
}
