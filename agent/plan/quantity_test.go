package plan

import (
	"math"
	"math/big"
	"testing"
)

func TestParseBytes(t *testing.T) {
	for text, want := range map[string]int64{
		"0": 0, "1": 1, "64Mi": 64 << 20, "1.5Ki": 1536, "1k": 1000, "1G": 1e9, "0.5": 1, "0.0001Ki": 1, "8191Pi": 8191 << 50, "9223372036854775807": math.MaxInt64,
	} {
		if got, err := ParseBytes(text); err != nil || got != want {
			t.Errorf("%q: %d, %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "-1", "+1", "1 Mi", "Mi", "1.", ".5", "1e3", "1mb", "1m", "64MI", "8Ei", "9223372036854775808", "0x10", "1_000", "١"} {
		if got, err := ParseBytes(text); err == nil {
			t.Errorf("%q is taken as %d", text, got)
		}
	}
}

func TestParseCPU(t *testing.T) {
	for text, want := range map[string]int64{"2": 2000, "0.5": 500, "500m": 500, "0.0001": 1, "1.5m": 2} {
		if got, err := ParseCPU(text); err != nil || got != want {
			t.Errorf("%q: %d, %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "1k", "-1", "half"} {
		if got, err := ParseCPU(text); err == nil {
			t.Errorf("%q is taken as %d", text, got)
		}
	}
}

// What is parsed is never negative and, written in bytes, parses to itself.
func FuzzQuantity(f *testing.F) {
	for _, text := range []string{"64Mi", "0.5", "500m", "1.5Ki", "9223372036854775807", "8Ei"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := ParseCPU(text); err == nil && len(text) > 40 {
			t.Errorf("%q is taken", text)
		}
		n, err := ParseBytes(text)
		if err != nil {
			return
		}
		if again, err := ParseBytes(big.NewInt(n).String()); n < 0 || err != nil || again != n {
			t.Errorf("%q: %d, then %d, %v", text, n, again, err)
		}
	})
}
