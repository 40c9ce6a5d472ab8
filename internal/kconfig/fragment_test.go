package kconfig

import (
	"strings"
	"testing"
)

func TestParseFragment(t *testing.T) {
	text := `# heading

CONFIG_SMP=y  # more than one CPU
CONFIG_MODULES=n # nothing is loaded
CONFIG_PANIC_TIMEOUT=-1	# at once
CONFIG_MASK=0xFf# hexadecimal
CONFIG_LSM="a,#b\"c"  # override: a # in a string is no comment
`
	fragment, err := ParseFragment("f.config", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	want := []Option{
		{"CONFIG_SMP", "y", "more than one CPU", false, "f.config", 3},
		{"CONFIG_MODULES", "n", "nothing is loaded", false, "f.config", 4},
		{"CONFIG_PANIC_TIMEOUT", "-1", "at once", false, "f.config", 5},
		{"CONFIG_MASK", "0xFf", "hexadecimal", false, "f.config", 6},
		{"CONFIG_LSM", `"a,#b\"c"`, "a # in a string is no comment", true, "f.config", 7},
	}
	if len(fragment.Options) != len(want) {
		t.Fatalf("got %d options, want %d", len(fragment.Options), len(want))
	}
	for i, option := range fragment.Options {
		if option != want[i] {
			t.Errorf("option %d: got %+v, want %+v", i, option, want[i])
		}
	}
}

func TestParseFragmentErrors(t *testing.T) {
	cases := []struct{ name, line, want string }{
		{"no reason", "CONFIG_A=y", "f:1: CONFIG_A: no reason given"},
		{"empty reason", "CONFIG_A=y  #  ", "f:1: CONFIG_A: no reason given"},
		{"override without reason", "CONFIG_A=y  # override:", "f:1: CONFIG_A: no reason given"},
		{"module", "CONFIG_A=m  # r", "f:1: CONFIG_A=m: this kernel has no modules"},
		{"not set", "# CONFIG_A is not set", "f:1: \"# CONFIG_A is not set\" looks like a comment"},
		{"no prefix", "A=y  # r", "f:1: expected CONFIG_NAME=value"},
		{"no value", "CONFIG_A  # r", "f:1: expected CONFIG_NAME=value"},
		{"indented", " CONFIG_A=y  # r", "f:1: expected CONFIG_NAME=value"},
		{"bad name", "CONFIG_A-B=y  # r", "f:1: expected CONFIG_NAME=value"},
		{"bare word", "CONFIG_A=yes  # r", "f:1: CONFIG_A: \"yes\" is neither"},
		{"empty value", "CONFIG_A=  # r", "f:1: CONFIG_A: \"\" is neither"},
		{"open string", `CONFIG_A="x  # r`, "f:1: CONFIG_A: string without its closing quote"},
		{"rest", `CONFIG_A="x"y  # r`, "f:1: CONFIG_A: unexpected"},
		{"carriage return", "CONFIG_A=y\r", "f:1: CONFIG_A: \"y\\r\" is neither"},
		{"twice", "CONFIG_A=y  # r\nCONFIG_A=y  # r", "f:2: CONFIG_A stands in line 1 already"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := ParseFragment("f", []byte(c.line))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want it to contain %q", err, c.want)
			}
		})
	}
}

func TestParseFragmentReportsAllErrors(t *testing.T) {
	_, err := ParseFragment("f", []byte("CONFIG_A=y\nCONFIG_B=y  # fine\nCONFIG_C=x  # r\n"))
	if err == nil || !strings.Contains(err.Error(), "f:1:") || !strings.Contains(err.Error(), "f:3:") {
		t.Errorf("got %v, want errors for lines 1 and 3", err)
	}
}
