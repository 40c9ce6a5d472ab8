package capability

import (
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

func TestNamesAreTheKernels(t *testing.T) {
	for name, number := range map[string]int{
		"CAP_CHOWN": unix.CAP_CHOWN, "CAP_SYS_MODULE": unix.CAP_SYS_MODULE, "CAP_SYS_RAWIO": unix.CAP_SYS_RAWIO, "CAP_SYS_BOOT": unix.CAP_SYS_BOOT,
		"CAP_MAC_ADMIN": unix.CAP_MAC_ADMIN, "CAP_AUDIT_READ": unix.CAP_AUDIT_READ, "CAP_CHECKPOINT_RESTORE": unix.CAP_LAST_CAP,
	} {
		if got := slices.Index(Names, name); got != number {
			t.Errorf("%s has number %d, want %d", name, got, number)
		}
	}
	if len(Names) != unix.CAP_LAST_CAP+1 {
		t.Errorf("%d names, want %d", len(Names), unix.CAP_LAST_CAP+1)
	}
}

func TestWithheld(t *testing.T) {
	given := Given()
	for _, w := range slices.Concat(Nobody, Agent) {
		if !slices.Contains(Names, w.Name) || w.Reason == "" {
			t.Errorf("%q is no capability, or has no reason", w.Name)
		}
		if slices.Contains(given, w.Name) {
			t.Errorf("%s is withheld and given", w.Name)
		}
	}
	if want := len(Names) - len(Nobody) - len(Agent); len(given) != want {
		t.Errorf("%d are given, want %d", len(given), want)
	}
	if reason, withheld := WithheldReason("CAP_SYS_ADMIN"); withheld {
		t.Errorf("CAP_SYS_ADMIN is withheld: %s", reason)
	}
}

func TestMask(t *testing.T) {
	for _, c := range []struct {
		names []string
		want  uint64
	}{
		{nil, 0},
		{[]string{"CAP_CHOWN", "CAP_KILL"}, 0x21},
		{[]string{"CAP_CHECKPOINT_RESTORE"}, 1 << 40},
		{Names, 0x1ffffffffff},
	} {
		if got := Mask(c.names); got != c.want {
			t.Errorf("%v: %#x, want %#x", c.names, got, c.want)
		}
	}
	if got := without(0x1ffffffffff, Agent); got != 0x1ffffbdffff {
		t.Errorf("all but the agent's: %#x", got)
	}
}
