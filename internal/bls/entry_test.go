package bls

import "testing"

func TestEntryOf(t *testing.T) {
	for text, want := range map[string]Entry{
		"ID=\"stele\"\nIMAGE_ID=\"edge\"\nIMAGE_VERSION=\"1.2.0\"\nVERSION_ID=\"9\"\n": {SortKey: "edge", Version: "1.2.0"},
		"ID=debian\nVERSION_ID=13\n\x00garbage":                                        {SortKey: "debian", Version: "13"},
		"# ID=x\n  PRETTY_NAME='Some thing'  \nBUILD_ID=7":                             {Version: "7"},
		"NAME=x": {},
	} {
		want.File = "a.efi"
		if got, ok := EntryOf("a.efi", []byte(text)); !ok || got != want {
			t.Errorf("%q: %+v, %t", text, got, ok)
		}
	}
	for _, text := range []string{"", "VERSION=1", "\x00ID=x", "#ID=x"} {
		if got, ok := EntryOf("a.efi", []byte(text)); ok {
			t.Errorf("%q: %+v", text, got)
		}
	}
	if _, ok := EntryOf("a.conf", []byte("ID=x")); ok {
		t.Error("a file that is no .efi became an entry")
	}
}

func TestEntriesWithoutSortKeyAreLast(t *testing.T) {
	entries := []Entry{
		{File: "b_9.efi"}, {File: "a.efi", SortKey: "stele", Version: "1"}, {File: "x_10.efi", Version: "1"}, {File: "c.efi", SortKey: "arch", Version: "0"},
		{File: "d+0-1.efi", SortKey: "arch", Version: "2"},
	}
	SortEntries(entries)
	var got string
	for _, e := range entries {
		got += e.File + " "
	}
	if want := "c.efi a.efi x_10.efi b_9.efi d+0-1.efi "; got != want {
		t.Errorf("%s, not %s", got, want)
	}
}

func FuzzEntryOf(f *testing.F) {
	f.Add([]byte("ID=stele\nIMAGE_VERSION=\"1\"\n"))
	f.Add([]byte("=\n'\n\"\"\nID=\""))
	f.Fuzz(func(t *testing.T, text []byte) { EntryOf("a.efi", text) })
}
