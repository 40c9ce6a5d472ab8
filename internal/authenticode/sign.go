package authenticode

import (
	"bytes"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"

	"github.com/stele-os/stele/internal/pkcs7"
)

// Object identifiers of Authenticode ("Authenticode-Specific Structures").
var (
	oidIndirectData = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 2, 1, 4}  // SPC_INDIRECT_DATA_OBJID
	oidPEImageData  = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 2, 1, 15} // SPC_PE_IMAGE_DATAOBJ
	oidSHA256       = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
)

// indirectData is SpcIndirectDataContent.
type indirectData struct {
	Data   spcAttribute
	Digest digestInfo
}

// spcAttribute is SpcAttributeTypeAndOptionalValue.
type spcAttribute struct {
	Type  asn1.ObjectIdentifier
	Value asn1.RawValue `asn1:"optional"`
}

// digestInfo is DigestInfo of RFC 2315 §9.4.
type digestInfo struct {
	Algorithm pkix.AlgorithmIdentifier
	Digest    []byte
}

// peImageData is SpcPeImageData: no flags, and the file's name "<<<Obsolete>>>" in UTF-16, as the specification asks for.
var peImageData = append([]byte{
	0x30, 0x25, // SEQUENCE
	0x03, 0x01, 0x00, // flags: BIT STRING, empty
	0xa0, 0x20, 0xa2, 0x1e, 0x80, 0x1c, // file: SpcLink [2] SpcString [0] BMPString
}, []byte("\x00<\x00<\x00<\x00O\x00b\x00s\x00o\x00l\x00e\x00t\x00e\x00>\x00>\x00>")...)

// Sign returns image with a signature of the key at its end. An image that is signed already is refused.
func Sign(image []byte, key pkcs7.Key) ([]byte, error) {
	signed, err := sign(image, key)
	if err != nil {
		return nil, fmt.Errorf("cannot sign PE image: %w", err)
	}
	return signed, nil
}

func sign(image []byte, key pkcs7.Key) ([]byte, error) {
	l, err := decodeLayout(image[:min(len(image), maxHeadBytes)])
	if err != nil {
		return nil, err
	}
	if l.tableBytes != 0 {
		return nil, errors.New("it is signed already")
	}
	// Signatures begin on a multiple of 8 bytes; what that takes belongs to the image.
	signed := append(slices.Clone(image), make([]byte, -len(image)&7)...)
	unsigned, err := Read(bytes.NewReader(signed))
	if err != nil {
		return nil, err
	}
	content, err := asn1.Marshal(indirectData{
		Data:   spcAttribute{oidPEImageData, asn1.RawValue{FullBytes: peImageData}},
		Digest: digestInfo{pkix.AlgorithmIdentifier{Algorithm: oidSHA256, Parameters: asn1.NullRawValue}, unsigned.Digest[:]},
	})
	if err != nil {
		return nil, err
	}
	signature, err := pkcs7.SignContent(oidIndirectData, content, key)
	if err != nil {
		return nil, err
	}
	entry := make([]byte, certificateHeaderSize, certificateHeaderSize+len(signature)+8)
	le.PutUint32(entry, uint32(certificateHeaderSize+len(signature)))
	le.PutUint16(entry[4:], certificateRevision)
	le.PutUint16(entry[6:], certificateType)
	entry = append(entry, signature...)
	entry = append(entry, make([]byte, -len(entry)&7)...)
	if uint64(len(signed))+uint64(len(entry)) >= 1<<32 {
		return nil, errors.New("it would end behind 4 GiB")
	}
	le.PutUint32(signed[l.directory:], uint32(len(signed)))
	le.PutUint32(signed[l.directory+4:], uint32(len(entry)))
	return append(signed, entry...), nil
}
