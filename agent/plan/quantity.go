package plan

import (
	"errors"
	"fmt"
	"math/big"

	"github.com/stele-os/stele/internal/pattern"
)

// A quantity is a decimal number with a suffix, as Kubernetes writes them
// (https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/), without signs and exponents.
var quantity = pattern.New(`^([0-9]{1,20}(?:\.[0-9]{1,9})?)([A-Za-z]{0,2})$`)

var byteSuffixes = map[string]int64{
	"": 1, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18,
	"Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30, "Ti": 1 << 40, "Pi": 1 << 50, "Ei": 1 << 60,
}

// cpuSuffixes in millicores.
var cpuSuffixes = map[string]int64{"": 1000, "m": 1}

// ParseBytes reads a size: "64Mi" is 67108864. A fraction of a byte is rounded up.
func ParseBytes(text string) (int64, error) {
	return parseQuantity(text, byteSuffixes, `a number of bytes such as "64Mi" or "1G"`)
}

// ParseCPU reads a number of cores and returns millicores: "0.5" and "500m" are 500. A fraction of a millicore is rounded up.
func ParseCPU(text string) (int64, error) {
	return parseQuantity(text, cpuSuffixes, `a number of cores such as "2", "0.5" or "500m"`)
}

func parseQuantity(text string, suffixes map[string]int64, want string) (int64, error) {
	match := quantity().FindStringSubmatch(text)
	if match == nil {
		return 0, fmt.Errorf("is not %s", want)
	}
	factor, ok := suffixes[match[2]]
	if !ok {
		return 0, fmt.Errorf("has the unknown suffix %q: write %s", match[2], want)
	}
	value, _ := new(big.Rat).SetString(match[1]) // cannot fail: the pattern is narrower
	value.Mul(value, new(big.Rat).SetInt64(factor))
	rounded := new(big.Int).Sub(new(big.Int).Add(value.Num(), value.Denom()), big.NewInt(1))
	rounded.Quo(rounded, value.Denom())
	if !rounded.IsInt64() {
		return 0, errors.New("is larger than this machine can count")
	}
	return rounded.Int64(), nil
}
