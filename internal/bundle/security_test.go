package bundle

import "testing"

func TestDecodeSecurityVersion(t *testing.T) {
	for text, want := range map[string]int64{"": 0, "0": 0, "7": 7, "2147483648": MaxSecurityVersion, "-1": -1, "2147483649": -1, "two": -1, "1.0": -1} {
		got, err := DecodeSecurityVersion(text)
		if (err != nil) != (want < 0) || err == nil && got != want {
			t.Errorf("%q: %d, %v", text, got, err)
		}
	}
}
