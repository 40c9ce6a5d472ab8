package kconfig

import (
	"errors"
	"strings"
	"testing"
)

func parse(t *testing.T, name, text string) Fragment {
	t.Helper()
	fragment, err := ParseFragment(name, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return fragment
}

func TestMerge(t *testing.T) {
	base := parse(t, "base", "CONFIG_A=y  # a\nCONFIG_B=1  # b\n")
	cases := []struct{ name, later, want, err string }{
		{"adds", "CONFIG_C=n  # c", "CONFIG_A=y\nCONFIG_B=1\nCONFIG_C=n\n", ""},
		{"agrees", "CONFIG_A=y  # again", "CONFIG_A=y\nCONFIG_B=1\n", ""},
		{"overrides", "CONFIG_A=n  # override: smaller", "CONFIG_A=n\nCONFIG_B=1\n", ""},
		{"contradicts", "CONFIG_C=y  # c\nCONFIG_B=2  # more", "", "later:2: CONFIG_B=2 contradicts base:2, which wants 1"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			merged, err := Merge(base, parse(t, "later", c.later))
			if c.err != "" {
				var conflict *Conflict
				if !errors.As(err, &conflict) || !strings.Contains(err.Error(), c.err) {
					t.Fatalf("got %v, want a conflict with %q", err, c.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := string(Format(merged)); got != c.want {
				t.Errorf("got\n%swant\n%s", got, c.want)
			}
		})
	}
}

func TestFormatIsSorted(t *testing.T) {
	merged, err := Merge(parse(t, "f", "CONFIG_B=1  # b\nCONFIG_A=y  # a\n"))
	if err != nil {
		t.Fatal(err)
	}
	if got := string(Format(merged)); got != "CONFIG_A=y\nCONFIG_B=1\n" {
		t.Errorf("got %q", got)
	}
}

func TestCheckNamesEveryLostOption(t *testing.T) {
	wanted, err := Merge(parse(t, "base", "CONFIG_A=y  # a\nCONFIG_B=n  # b\nCONFIG_C=n  # c\nCONFIG_D=\"x\"  # d\nCONFIG_E=y  # e\n"))
	if err != nil {
		t.Fatal(err)
	}
	final, err := ParseConfig(".config", []byte("#\n# Linux\n#\nCONFIG_A=y\n# CONFIG_B is not set\nCONFIG_C=y\nCONFIG_D=\"y\"\nCONFIG_M=m\n"))
	if err != nil {
		t.Fatal(err)
	}
	var lost *LostError
	if err := Check(wanted, final); !errors.As(err, &lost) {
		t.Fatalf("got %v, want a LostError", err)
	}
	want := "cannot keep 3 option(s) in the final .config:\n" +
		"base:3: CONFIG_C=n became y\nbase:4: CONFIG_D=\"x\" became \"y\"\nbase:5: CONFIG_E=y became n"
	if lost.Error() != want {
		t.Errorf("got\n%s\nwant\n%s", lost.Error(), want)
	}
	if err := Check(wanted[:2], final); err != nil {
		t.Errorf("got %v, want no error", err)
	}
}

func TestParseConfigErrors(t *testing.T) {
	cases := []struct{ name, text, want string }{
		{"rest", "\nCONFIG_A=y # r", ".config:2: CONFIG_A: unexpected"},
		{"twice", "CONFIG_A=y\nCONFIG_A=n", ".config:2: CONFIG_A stands here a second time"},
		{"garbage", "\x7fELF", ".config:1: expected CONFIG_NAME=value"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := ParseConfig(".config", []byte(c.text))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want it to contain %q", err, c.want)
			}
		})
	}
}

func TestStrip(t *testing.T) {
	config := "#\n# Linux/x86 6.12.1 Kernel Configuration\n#\nCONFIG_A=y\n# CONFIG_B is not set\n\n# menu\nCONFIG_C=\"#\"\n"
	if got, want := string(Strip([]byte(config))), "# Linux/x86 6.12.1 Kernel Configuration\nCONFIG_A=y\n# CONFIG_B is not set\nCONFIG_C=\"#\"\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
