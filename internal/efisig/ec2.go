package efisig

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"fmt"
	"hash/crc32"
)

// Variable is one of the four by its name, with its value (an EFI_SIGNATURE_LIST).
type Variable struct {
	Name  string
	Value []byte
}

const (
	ec2Magic   = "AMZNUEFI"
	ec2Version = 0
	// digestSize is what awslabs/python-uefivars keeps of a variable's signer; the four have none, only variables of private vendors do.
	digestSize = 32
)

// EC2Data is a variable store as EC2's RegisterImage takes it (UefiData): base64 of magic, CRC-32C of all behind it, version, and a zlib stream; in this
// a count, and for each variable name and value, both with their length before them, vendor, attributes, time, digest. Numbers are little-endian, counts
// and lengths of 64 bits. AWS specifies the format by a program (awslabs/python-uefivars, pyuefivars/aws.py). As there, the time is empty, so any signed change is
// newer. Its preset dictionary only makes streams smaller; this one refers to none, which zlib lets each reader see (RFC 1950 §2.2, FDICT).
func EC2Data(variables []Variable) (string, error) {
	raw := le.AppendUint64(nil, uint64(len(variables)))
	for _, v := range variables {
		raw = append(le.AppendUint64(raw, uint64(len(v.Name))), v.Name...)
		raw = append(le.AppendUint64(raw, uint64(len(v.Value))), v.Value...)
		vendor := VendorOf(v.Name)
		raw = le.AppendUint32(append(raw, vendor[:]...), Attributes)
		raw = append(raw, make([]byte, timeSize)...)
		raw = append(le.AppendUint64(raw, digestSize), make([]byte, digestSize)...)
	}
	body := bytes.NewBuffer(le.AppendUint32(nil, ec2Version))
	w, err := zlib.NewWriterLevel(body, zlib.BestCompression)
	if err == nil {
		_, err = w.Write(raw)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return "", fmt.Errorf("cannot pack variables for EC2: %w", err)
	}
	sum := crc32.Checksum(body.Bytes(), crc32.MakeTable(crc32.Castagnoli))
	blob := append(le.AppendUint32([]byte(ec2Magic), sum), body.Bytes()...)
	return base64.StdEncoding.EncodeToString(blob), nil
}
