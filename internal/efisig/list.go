package efisig

import (
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/stele-os/stele/internal/gpt"
)

// Types of signatures (UEFI 2.10 §32.4.1).
var (
	TypeX509       = gpt.MustGUID("a5c059a1-94e4-4aa7-87b5-ab155c2bf072") // EFI_CERT_X509_GUID
	TypeSHA256     = gpt.MustGUID("c1c41626-504c-4092-aca9-41f936934328") // EFI_CERT_SHA256_GUID
	TypeX509SHA256 = gpt.MustGUID("3bd2a492-96c0-4079-b420-fcf98ef103ed") // EFI_CERT_X509_SHA256_GUID: dbx, digest of a certificate and since when
)

// Entry is one EFI_SIGNATURE_DATA with the type of its list.
type Entry struct {
	Type gpt.GUID
	// Owner is whoever put it there.
	Owner gpt.GUID
	Data  []byte
}

const (
	listHeaderSize = 28 // EFI_SIGNATURE_LIST: type, ListSize, HeaderSize, SignatureSize
	ownerSize      = 16
	// maxListBytes bounds a variable: dbx of 2026 has under 24 KiB, and no firmware takes more than 64 KiB.
	maxListBytes = 1 << 20
)

var le = binary.LittleEndian

// Certificate is the entry of a certificate.
func Certificate(owner gpt.GUID, c *x509.Certificate) Entry { return Entry{TypeX509, owner, c.Raw} }

// Digest is the entry of an Authenticode digest.
func Digest(owner gpt.GUID, digest [32]byte) Entry { return Entry{TypeSHA256, owner, digest[:]} }

// Encode writes entries, each in a list of its own, which every firmware reads (a list holds entries of one length only).
func Encode(entries []Entry) []byte {
	var b []byte
	for _, e := range entries {
		b = append(b, e.Type[:]...)
		size := ownerSize + len(e.Data)
		b = le.AppendUint32(b, uint32(listHeaderSize+size))
		b = le.AppendUint32(b, 0)
		b = le.AppendUint32(b, uint32(size))
		b = append(append(b, e.Owner[:]...), e.Data...)
	}
	return b
}

// Decode reads the value of a variable such as db: lists, one behind the other. It never returns a part of what is there.
func Decode(b []byte) ([]Entry, error) {
	entries, err := decode(b)
	if err != nil {
		return nil, fmt.Errorf("cannot read signature list: %w", err)
	}
	return entries, nil
}

func decode(b []byte) (entries []Entry, err error) {
	if len(b) > maxListBytes {
		return nil, fmt.Errorf("it has %d bytes, more than %d", len(b), maxListBytes)
	}
	for len(b) > 0 {
		if len(b) < listHeaderSize {
			return nil, errors.New("it is cut off in a list's header")
		}
		kind := gpt.GUID(b[:16])
		list, header, size := uint64(le.Uint32(b[16:])), uint64(le.Uint32(b[20:])), uint64(le.Uint32(b[24:]))
		if list < listHeaderSize+header || list > uint64(len(b)) {
			return nil, fmt.Errorf("a list says that it has %d bytes of %d", list, len(b))
		}
		body := b[listHeaderSize+header : list]
		if size <= ownerSize || uint64(len(body))%size != 0 {
			return nil, fmt.Errorf("a list of %d bytes holds signatures of %d", len(body), size)
		}
		for ; len(body) > 0; body = body[size:] {
			entries = append(entries, Entry{kind, gpt.GUID(body[:ownerSize]), body[ownerSize:size:size]})
		}
		b = b[list:]
	}
	return entries, nil
}
