package artifact

import (
	"bufio"
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/stele-os/stele/internal/kconfig"
)

// explain tells of the options that did not survive which ones this kernel does not have at all, by its Kconfig files.
func (t kernelTree) explain(err error) error {
	var lost *kconfig.LostError
	if !errors.As(err, &lost) {
		return err
	}
	known, readErr := kconfigNames(t.dir)
	if readErr != nil {
		return err // the list alone is true, too
	}
	for i, option := range lost.Lost {
		lost.Lost[i].Unknown = !known[strings.TrimPrefix(option.Name, "CONFIG_")]
	}
	return err
}

// kconfigNames are the symbols that the Kconfig files of a tree define (Documentation/kbuild/kconfig-language.rst, "Menu entries").
func kconfigNames(tree string) (map[string]bool, error) {
	names := map[string]bool{}
	err := filepath.WalkDir(tree, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() || !strings.HasPrefix(entry.Name(), "Kconfig") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
			if words := strings.Fields(lines.Text()); len(words) == 2 && (words[0] == "config" || words[0] == "menuconfig") {
				names[words[1]] = true
			}
		}
		return nil
	})
	return names, err
}
