package bundle

import (
	"errors"
	"fmt"
	"strings"

	"github.com/stele-os/stele/internal/pattern"

	"github.com/stele-os/stele/internal/hint"
)

// maxVersionBytes keeps UKI names, with prefix and counter, well inside of what FAT and target names can hold.
const maxVersionBytes = 64

var versionPattern = pattern.New(`^(0|[1-9][0-9]{0,17})\.(0|[1-9][0-9]{0,17})\.(0|[1-9][0-9]{0,17})(~[0-9A-Za-z]+(\.[0-9A-Za-z]+)*)?$`)

// CheckVersion tells whether a version is one that the boot loader, the file names and people read in the same way: MAJOR.MINOR.PATCH,
// and ~WORD behind it for what comes before that release. In the order of UAPI.10 (Version Format Specification, "Version Comparison")
// 1.1.0~rc1 lies before 1.1.0, but 1.1.0-rc1, the form of semantic versions, behind it. '+' begins the boot counter (UAPI.1, "Boot
// Counting"), '_' separates the fields of our file names, and both are not compared at all.
func CheckVersion(v string) error {
	if len(v) <= maxVersionBytes && versionPattern().MatchString(v) {
		return nil
	}
	err := fmt.Errorf("%q is no version such as 1.2.3 or 1.2.3~rc1", v)
	if len(v) > maxVersionBytes {
		return errors.New("a version has at most 64 characters")
	}
	if release, word, ok := strings.Cut(v, "-"); ok && versionPattern().MatchString(release+"~"+word) {
		return hint.New(err, fmt.Sprintf("write %s~%s: the boot loader takes %s for newer than %s", release, word, v, release))
	}
	return err
}
