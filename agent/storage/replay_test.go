package storage

import (
	"errors"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

func TestMountReplaying(t *testing.T) {
	const damaged, broken = unix.EUCLEAN, unix.EIO
	for name, c := range map[string]struct {
		answers []error // of each mount
		calls   []string
		want    error
	}{
		"whole":                      {[]error{nil}, []string{"mount"}, nil},
		"no file system":             {[]error{broken}, []string{"mount"}, broken},
		"journal repairs it":         {[]error{damaged, nil, nil}, []string{"mount", "mount read-only", "unmount", "mount"}, nil},
		"journal does not repair it": {[]error{damaged, nil, damaged}, []string{"mount", "mount read-only", "unmount", "mount"}, damaged},
		"damaged beyond the journal": {[]error{damaged, broken}, []string{"mount", "mount read-only"}, damaged},
	} {
		var calls []string
		err := mountReplaying(func(flags uintptr) error {
			call := "mount"
			if flags&unix.MS_RDONLY != 0 {
				call += " read-only"
			}
			calls = append(calls, call)
			answer := c.answers[0]
			c.answers = c.answers[1:]
			return answer
		}, func() error {
			calls = append(calls, "unmount")
			return nil
		})
		if !errors.Is(err, c.want) || !slices.Equal(calls, c.calls) {
			t.Errorf("%s: %v after %q", name, err, calls)
		}
	}
}
