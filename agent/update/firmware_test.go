package update

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stele-os/stele/agent/fault"
	"github.com/stele-os/stele/agent/state"
	"github.com/stele-os/stele/agent/update/slotstest"
	"github.com/stele-os/stele/internal/efisig"
	"github.com/stele-os/stele/internal/gpt"
	"github.com/stele-os/stele/internal/pkcs7"
	"github.com/stele-os/stele/internal/pkcs7/pkcs7test"
)

// TestFirmwareWouldRefuse: what db does not allow or dbx forbids is not staged, and the disk stays as it was to the last byte.
func TestFirmwareWouldRefuse(t *testing.T) {
	ours, foreign := pkcs7test.ECDSA(t, "ours", nil), pkcs7test.ECDSA(t, "foreign", nil)
	signed := slotstest.Make(t, "1.1.0", slotstest.RootBytes).Signed(t, ours)
	list := func(keys ...pkcs7.Key) (entries []efisig.Entry) {
		for _, k := range keys {
			entries = append(entries, efisig.Certificate(gpt.GUID{}, k.Certificate))
		}
		return entries
	}
	for name, c := range map[string]struct {
		state   string
		db, dbx []efisig.Entry
		err     error
		version slotstest.Version
		refused string
		said    string
	}{
		"signed":              {state: state.SecureBootEnabled, db: list(ours), version: signed},
		"signed by another":   {state: state.SecureBootEnabled, db: list(foreign), version: signed, refused: `it is signed by "CN=ours"`},
		"forbidden":           {state: state.SecureBootEnabled, db: list(ours), dbx: list(ours), version: signed, refused: "dbx forbids the certificate"},
		"not signed":          {state: state.SecureBootEnabled, db: list(ours), version: slotstest.Make(t, "1.1.0", slotstest.RootBytes), refused: "it is not signed"},
		"setup mode":          {state: state.SecureBootSetup, db: list(foreign), version: signed},
		"disabled":            {state: state.SecureBootDisabled, version: signed},
		"nobody knows":        {state: state.SecureBootUnknown, version: signed, said: "cannot tell whether the firmware will start version 1.1.0: Secure Boot is unknown"},
		"db cannot be read":   {state: state.SecureBootEnabled, err: errors.New("cannot read EFI variable db"), version: signed, said: "cannot read EFI variable db"},
		"another machine's":   {state: state.SecureBootEnabled, db: list(ours), version: forMachine(t, ours, 0xaa64), refused: "it is a program for machine 0xaa64, and this one is 0x8664"},
		"changed once signed": {state: state.SecureBootEnabled, db: list(ours), version: forMachine(t, ours, 0), refused: "the image was changed after it was signed"},
	} {
		t.Run(name, func(t *testing.T) {
			in(t, nil, func(r *rig) {
				r.publish(c.version)
				r.firmware = firmware{state.SecureBoot{State: c.state}, efisig.Policy{DB: c.db, DBX: c.dbx}, c.err}
				before := r.disk.Clone()
				err := r.Stage(r.t.Context(), "", "1.1.0")
				if c.said != "" {
					r.said(c.said)
				}
				if c.refused == "" {
					r.must(err)
					r.shows("a committed 1.0.0, b staged 1.1.0")
					return
				}
				if fault.KindOf(err) != fault.Precondition || !strings.Contains(err.Error(), c.refused) {
					t.Errorf("%v, not %q", err, c.refused)
				}
				r.shows("a committed 1.0.0, b empty")
				if !sameBytes(t, before, r.disk, before.SizeBytes()) {
					t.Error("the disk was written to")
				}
			})
		})
	}
}

// forMachine is a version whose UKI is for another machine, or, with 0, has another byte than was signed.
func forMachine(t *testing.T, key pkcs7.Key, number uint16) slotstest.Version {
	t.Helper()
	v := slotstest.Make(t, "1.1.0", slotstest.RootBytes)
	if number == 0 {
		v = v.Signed(t, key)
		v.UKI[0x400] ^= 1 // the first byte of the first section
		return v.Sized()
	}
	v.UKI[0x44], v.UKI[0x45] = byte(number), byte(number>>8)
	return v.Signed(t, key)
}

func sameBytes(t *testing.T, a, b io.ReaderAt, size int64) bool {
	t.Helper()
	x, y := make([]byte, 1<<20), make([]byte, 1<<20)
	for at := int64(0); at < size; at += int64(len(x)) {
		n := min(int64(len(x)), size-at)
		if _, err := a.ReadAt(x[:n], at); err != nil && !errors.Is(err, io.EOF) {
			t.Fatal(err)
		}
		if _, err := b.ReadAt(y[:n], at); err != nil && !errors.Is(err, io.EOF) {
			t.Fatal(err)
		}
		if !bytes.Equal(x[:n], y[:n]) {
			return false
		}
	}
	return true
}
