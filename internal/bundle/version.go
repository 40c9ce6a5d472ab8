package bundle

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/stele-os/stele/internal/pattern"

	"github.com/stele-os/stele/internal/hint"
)

// SecurityVersionKey is the variable of a UKI's os-release (os-release(5)) with its security version; absent: 0. It lies there so that whoever signs
// the UKI signs it, too.
const SecurityVersionKey = "STELE_SECURITY_VERSION"

// MaxSecurityVersion is far from what anybody needs, and from an overflow.
const MaxSecurityVersion = 1 << 31

// DecodeSecurityVersion reads the value of SecurityVersionKey; empty: 0.
func DecodeSecurityVersion(value string) (int64, error) {
	if value == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil || n < 0 || n > MaxSecurityVersion {
		return 0, fmt.Errorf("cannot read security version %q: it is no number from 0 to %d", value, int64(MaxSecurityVersion))
	}
	return n, nil
}

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
