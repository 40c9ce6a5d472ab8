package kconfig

import "testing"

// FuzzParseFragment: what parses also merges, and its formatted form is a .config in which every option survives.
func FuzzParseFragment(f *testing.F) {
	f.Add([]byte("# heading\n\nCONFIG_A=y  # a\nCONFIG_B=\"x # \\\" y\"  # override: b\nCONFIG_C=-1 # c\nCONFIG_D=0x1f\t# d\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		fragment, err := ParseFragment("f", text)
		if err != nil {
			return
		}
		for _, option := range fragment.Options {
			if option.Reason == "" || option.Line < 1 {
				t.Fatalf("option without reason or line: %+v", option)
			}
		}
		merged, err := Merge(fragment)
		if err != nil {
			t.Fatalf("one fragment contradicts itself: %v", err)
		}
		config, err := ParseConfig(".config", Format(merged))
		if err != nil {
			t.Fatalf("formatted options do not parse: %v", err)
		}
		if err := Check(merged, config); err != nil {
			t.Fatal(err)
		}
	})
}

// FuzzParseConfig: no input makes the parser panic, and no option has an empty name or value.
func FuzzParseConfig(f *testing.F) {
	f.Add([]byte("#\n# Linux/x86 6.12 Kernel Configuration\n#\nCONFIG_A=y\n# CONFIG_B is not set\nCONFIG_C=\"\"\nCONFIG_D=m\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		config, err := ParseConfig("c", text)
		if err != nil {
			return
		}
		for name, value := range config {
			if !validName(name) || value == "" {
				t.Fatalf("%q=%q", name, value)
			}
		}
	})
}
