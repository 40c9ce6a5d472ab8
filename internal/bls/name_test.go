package bls

import (
	"math"
	"slices"
	"testing"
)

func TestParseName(t *testing.T) {
	const big = math.MaxInt32
	for file, want := range map[string]Name{
		"stele_1.0.0.efi":                      {Prefix: "stele", Version: "1.0.0"},
		"stele_1.0.0+2.efi":                    {Prefix: "stele", Version: "1.0.0", Counted: true, Left: 2},
		"stele_1.0.0+0-3.efi":                  {Prefix: "stele", Version: "1.0.0", Counted: true, Done: 3},
		"stele_1.0.0+02-01.efi":                {Prefix: "stele", Version: "1.0.0", Counted: true, Left: 2, Done: 1},
		"stele_1+1+2.efi":                      {Prefix: "stele", Version: "1+1", Counted: true, Left: 2},
		"stele_1+2147483647-2147483647.efi":    {Prefix: "stele", Version: "1", Counted: true, Left: big, Done: big},
		"stele_1+2147483648.efi":               {Prefix: "stele", Version: "1+2147483648"},
		"stele_1+2-2147483648.efi":             {Prefix: "stele", Version: "1+2-2147483648"},
		"stele_1+18446744073709551616.efi":     {Prefix: "stele", Version: "1+18446744073709551616"},
		"stele_1+.efi":                         {Prefix: "stele", Version: "1+"},
		"stele_1+x.efi":                        {Prefix: "stele", Version: "1+x"},
		"stele_1+2-.efi":                       {Prefix: "stele", Version: "1+2-"},
		"stele_1+-1.efi":                       {Prefix: "stele", Version: "1+-1"},
		"stele_1+2-1-1.efi":                    {Prefix: "stele", Version: "1+2-1-1"},
		"stele_1+2 .efi":                       {Prefix: "stele", Version: "1+2 "},
		"stele_1+2.1.efi":                      {Prefix: "stele", Version: "1+2.1"},
		"stele_1+2.EFI":                        {Prefix: "stele", Version: "1", Counted: true, Left: 2, suffix: ".EFI"},
		"STELE_~1.EFI":                         {Prefix: "STELE", Version: "~1", suffix: ".EFI"},
		"stele_1_2+1.efi":                      {Prefix: "stele", Version: "1_2", Counted: true, Left: 1},
		"other_thing-1.2~rc1_amd64+3-0.efi":    {Prefix: "other", Version: "thing-1.2~rc1_amd64", Counted: true, Left: 3},
		"stele_1+9999999999999999999999-1.efi": {Prefix: "stele", Version: "1+9999999999999999999999-1"},
	} {
		got, err := ParseName(file)
		if err != nil || got != want {
			t.Errorf("%s: %+v, %v, not %+v", file, got, err, want)
		}
	}
	for _, file := range []string{"", ".efi", "stele_1.0.0", "stele_1.0.0.tmp", "stele.efi", "_1.efi", "stele_.efi", "stele_+1.efi", ".stele_1.efi", "auto-stele_1.efi"} {
		if got, err := ParseName(file); err == nil {
			t.Errorf("%s: %+v, no error", file, got)
		}
	}
}

func TestTried(t *testing.T) {
	series := []string{"stele_1+2.efi", "stele_1+1-1.efi", "stele_1+0-2.efi", "stele_1+0-3.efi"}
	n, err := ParseName(series[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range series[1:] {
		if n = n.Tried(); n.String() != want {
			t.Errorf("%s, not %s", n, want)
		}
	}
	if !n.Bad() {
		t.Errorf("%s has tries left", n)
	}
	if good := (Name{Prefix: "stele", Version: "1"}); good.Tried() != good || good.Bad() {
		t.Error("an entry without a counter is never tried out")
	}
}

func TestChoose(t *testing.T) {
	// Each list stands in the loader's order.
	for name, want := range map[string][]string{
		"newest first":                       {"stele_1.10.0.efi", "stele_1.9.0.efi", "stele_1.9.0~rc1.efi"},
		"bad last":                           {"stele_1.0.0.efi", "stele_1.1.0+0.efi", "stele_1.0.5+0-2.efi"},
		"counted is no worse than good":      {"stele_1.1.0+2.efi", "stele_1.0.0.efi"},
		"rollback before its commit point":   {"stele_1.1.0.efi", "stele_1.0.0+2.efi"},
		"rollback behind it":                 {"stele_1.0.0+2.efi", "stele_1.1.0+0-1.efi"},
		"all bad: the newest":                {"stele_1.1.0+0-2.efi", "stele_1.0.0+0-9.efi"},
		"malformed counter is good":          {"stele_1.1.0+x.efi", "stele_1.0.0.efi"},
		"one version, fewer tries done":      {"stele_1.0.0+1-1.efi", "stele_1.0.0+1-3.efi"},
		"one version, more tries left first": {"stele_1.0.0+3.efi", "stele_1.0.0+2.efi"},
		"only a bad one":                     {"stele_1.0.0+0-1.efi"},
	} {
		var names []Name
		for _, file := range slices.Backward(want) {
			n, err := ParseName(file)
			if err != nil {
				t.Fatal(err)
			}
			names = append(names, n)
		}
		chosen, ok := Choose(names)
		Sort(names)
		var got []string
		for _, n := range names {
			got = append(got, n.String())
		}
		if !slices.Equal(got, want) || !ok || chosen.String() != want[0] {
			t.Errorf("%s: %v, chosen %s, not %v", name, got, chosen, want)
		}
	}
	if _, ok := Choose(nil); ok {
		t.Error("something was chosen out of nothing")
	}
}

// FuzzParseName: what parses is written back as the same name, up to zeros that the loader does not count.
func FuzzParseName(f *testing.F) {
	for _, s := range []string{"stele_1.0.0.efi", "stele_1+2.efi", "stele_1+0-3.efi", "stele_1+2.EFI", "stele_1+1+2.efi", "stele_1+x.efi", "stele_1+2-.efi"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, file string) {
		n, err := ParseName(file)
		if err != nil {
			return
		}
		again, err := ParseName(n.String())
		if err != nil || again != n {
			t.Fatalf("%q became %q, %+v became %+v: %v", file, n, n, again, err)
		}
		tried := n.Tried()
		if left, done, ok := Tries(tried.String()); ok != n.Counted || left != tried.Left || done != tried.Done || left < 0 || done < 0 {
			t.Fatalf("%q after a try: %q", file, tried)
		}
	})
}
