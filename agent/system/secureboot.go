package system

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/stele-os/stele/agent/state"
	"github.com/stele-os/stele/internal/efisig"
)

// EFIVariables is where the kernel shows the firmware's variables (Documentation/filesystems/efivarfs.rst), mounted for reading only.
const EFIVariables = "/sys/firmware/efi/efivars"

// maxVariableBytes bounds one variable; dbx is the longest, with some 24 KiB.
const maxVariableBytes = 1 << 20

// ReadSecureBoot says whether the firmware verifies what it starts, by the variables below root (UEFI 2.10 §3.3: SecureBoot and SetupMode are one
// byte, and made anew by the firmware at each start, whatever the NVRAM holds).
func ReadSecureBoot(root string) state.SecureBoot {
	on, err := readFlag(root, "SecureBoot")
	if err != nil {
		return withoutVariable(root, err)
	}
	setup, err := readFlag(root, "SetupMode")
	switch {
	case on:
		return state.SecureBoot{State: state.SecureBootEnabled}
	case err == nil && setup:
		return state.SecureBoot{State: state.SecureBootSetup}
	}
	return state.SecureBoot{State: state.SecureBootDisabled}
}

// withoutVariable tells a machine that has no Secure Boot from one whose variables cannot be read.
func withoutVariable(root string, err error) state.SecureBoot {
	if _, missing := os.Stat(filepath.Dir(root)); errors.Is(missing, os.ErrNotExist) {
		return state.SecureBoot{State: state.SecureBootNone, Reason: "the machine was not started by UEFI"}
	}
	if others, listErr := os.ReadDir(root); errors.Is(err, os.ErrNotExist) && listErr == nil && len(others) > 0 {
		return state.SecureBoot{State: state.SecureBootDisabled, Reason: "the firmware does not know it"}
	}
	return state.SecureBoot{State: state.SecureBootUnknown, Reason: err.Error()}
}

func readFlag(root, name string) (bool, error) {
	value, err := readVariable(root, name)
	if err == nil && len(value) != 1 {
		err = fmt.Errorf("cannot read EFI variable %s: it has %d bytes instead of 1", name, len(value))
	}
	return err == nil && value[0] == 1, err
}

// ReadSignatures reads db and dbx, by which the firmware judges what it starts. A variable that is not there is an empty list.
func ReadSignatures(root string) (efisig.Policy, error) {
	read := func(name string) ([]efisig.Entry, error) {
		value, err := readVariable(root, name)
		if errors.Is(err, os.ErrNotExist) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		entries, err := efisig.Decode(value)
		if err != nil {
			return nil, fmt.Errorf("cannot read EFI variable %s: %w", name, err)
		}
		return entries, nil
	}
	db, err := read("db")
	dbx, otherErr := read("dbx")
	return efisig.Policy{DB: db, DBX: dbx}, errors.Join(err, otherErr)
}

// readVariable returns a variable's value without the 4 bytes of attributes before it.
func readVariable(root, name string) ([]byte, error) {
	content, err := os.ReadFile(filepath.Join(root, name+"-"+efisig.VendorOf(name).String()))
	switch {
	case err != nil:
		return nil, fmt.Errorf("cannot read EFI variable %s: %w", name, err)
	case len(content) < 4 || len(content) > maxVariableBytes:
		return nil, fmt.Errorf("cannot read EFI variable %s: it has %d bytes", name, len(content))
	}
	return content[4:], nil
}
