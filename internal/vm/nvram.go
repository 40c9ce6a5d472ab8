package vm

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"unicode/utf16"
)

// States of the firmware's variables.
const (
	// NVRAMFull: there is no room for another variable; those that an earlier start left are kept.
	NVRAMFull = "full"
	// NVRAMReadOnly: the flash that holds them takes no writes. OVMF then keeps variables in memory until the next reset.
	NVRAMReadOnly = "read-only"
)

// variablesName is the file of the variables in Options.Dir.
const variablesName = "firmware-vars.fd"

// variablesArgument is the flash with the variables.
func variablesArgument(o Options, path string) string {
	drive := "if=pflash,unit=1,format=raw,file=" + escape(path)
	if o.NVRAM == NVRAMReadOnly {
		drive += ",readonly=on"
	}
	return drive
}

// prepareVariables gives the machine its own copy of the firmware's variables.
func prepareVariables(o Options, template string) (string, error) {
	path := o.inDir(variablesName)
	if o.Variables != "" {
		template = o.Variables
	}
	if err := copyOnce(path, template); err != nil || o.NVRAM != NVRAMFull {
		return path, err
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	if err := fillVariables(content); err != nil {
		return "", fmt.Errorf("cannot fill firmware variables %q: %w", path, err)
	}
	return path, os.WriteFile(path, content, 0o600)
}

// Where things lie in a flash image of variables: a firmware volume (UEFI Platform Initialization 1.7, volume 3, §3.2.1), and in it EDK2's store of authenticated
// variables (MdeModulePkg/Include/Guid/VariableFormat.h).
const (
	volumeHeaderLength = 48 // of EFI_FIRMWARE_VOLUME_HEADER, at this place
	storeHeaderBytes   = 28
	storeSize          = 16 // after the GUID
	variableBytes      = 60 // AUTHENTICATED_VARIABLE_HEADER
	variableStart      = 0x55aa
	variableAdded      = 0x3f
	// nonVolatile | boot services | runtime access
	variableAttributes = 7
	// fillBytes is the data of one variable: below the 8 KiB that OVMF takes from callers.
	fillBytes = 7 << 10
)

// authenticatedStore is gEfiAuthenticatedVariableGuid, aaf32c78-947b-439a-a180-2e144ec37792.
var authenticatedStore = []byte{0x78, 0x2c, 0xf3, 0xaa, 0x7b, 0x94, 0x9a, 0x43, 0xa1, 0x80, 0x2e, 0x14, 0x4e, 0xc3, 0x77, 0x92}

// fillVariables puts variables into a store until no other fits.
func fillVariables(flash []byte) error {
	le := binary.LittleEndian
	if len(flash) < 64 {
		return errors.New("it is too short")
	}
	start := int(le.Uint16(flash[volumeHeaderLength:]))
	if start+storeHeaderBytes > len(flash) || !bytes.Equal(flash[start:start+16], authenticatedStore) {
		return errors.New("it has no store of authenticated variables")
	}
	end := start + int(le.Uint32(flash[start+storeSize:]))
	if end > len(flash) {
		return errors.New("its store ends behind it")
	}
	at := start + storeHeaderBytes
	for at+variableBytes <= end && le.Uint16(flash[at:]) == variableStart {
		at += variableLength(le.Uint32(flash[at+36:]), le.Uint32(flash[at+40:]))
	}
	for i := 0; ; i++ {
		name := encodeUTF16(fmt.Sprintf("fill%d", i))
		data := min(fillBytes, end-at-variableBytes-len(name))
		if data <= 0 {
			return nil
		}
		v := flash[at:]
		clear(v[:variableBytes])
		le.PutUint16(v, variableStart)
		v[2] = variableAdded
		le.PutUint32(v[4:], variableAttributes)
		le.PutUint32(v[36:], uint32(len(name)))
		le.PutUint32(v[40:], uint32(data))
		copy(v[44:60], "vm fills NVRAM..") // the vendor's GUID
		copy(v[variableBytes:], name)
		clear(v[variableBytes+len(name):][:data])
		at += variableLength(uint32(len(name)), uint32(data))
	}
}

// variableLength is the room that a variable takes: headers begin at multiples of four.
func variableLength(name, data uint32) int { return (variableBytes + int(name) + int(data) + 3) &^ 3 }

func encodeUTF16(s string) []byte {
	var b []byte
	for _, u := range append(utf16.Encode([]rune(s)), 0) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return b
}
