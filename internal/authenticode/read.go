package authenticode

import (
	"bufio"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/stele-os/stele/internal/pkcs7"
)

// Image is what was read of a PE image: its digest, and who says that it is theirs. Whether they are to be trusted is not decided here.
type Image struct {
	// Machine is the architecture (PE Format, "Machine Types"): 0x8664 for x86_64, 0xaa64 for arm64.
	Machine uint16
	// Digest is the Authenticode digest, SHA-256.
	Digest [32]byte
	// Signatures whose digest is the image's, and which are right; Wrong says what was wrong with each of the others.
	Signatures []Signature
	Wrong      []error
}

// Signature is one that was verified.
type Signature struct {
	// Signer is the certificate whose key made it; Certificates are all that came with it.
	Signer       *x509.Certificate
	Certificates []*x509.Certificate
}

// WIN_CERTIFICATE (PE Format, "Attribute Certificate Table"): length with header, revision, type.
const (
	certificateHeaderSize = 8
	certificateRevision   = 0x0200 // WIN_CERT_REVISION_2_0
	certificateType       = 0x0002 // WIN_CERT_TYPE_PKCS_SIGNED_DATA
)

// Read reads an image to its end, in bounded memory. Bytes behind the signatures are an error: no digest covers them.
func Read(r io.Reader) (Image, error) {
	image, err := read(r)
	if err != nil {
		return Image{}, fmt.Errorf("cannot read PE image: %w", err)
	}
	return image, nil
}

func read(r io.Reader) (Image, error) {
	b := bufio.NewReaderSize(r, maxHeadBytes)
	head, err := b.Peek(maxHeadBytes)
	if err != nil && !errors.Is(err, io.EOF) {
		return Image{}, err
	}
	l, err := decodeLayout(head)
	if err != nil {
		return Image{}, err
	}
	sum := sha256.New()
	if err := l.hash(sum, b); err != nil {
		return Image{}, err
	}
	image := Image{Machine: l.machine, Digest: [32]byte(sum.Sum(nil))}
	if l.tableBytes == 0 {
		return image, nil
	}
	table := make([]byte, l.tableBytes)
	if _, err := io.ReadFull(b, table); err != nil {
		return Image{}, fmt.Errorf("its signatures: %w", err)
	}
	if _, err := b.ReadByte(); err == nil {
		return Image{}, errors.New("something follows its signatures")
	} else if !errors.Is(err, io.EOF) {
		return Image{}, err
	}
	return image, image.readTable(table)
}

// hash reads up to the signatures, or to the end.
func (l layout) hash(sum hash.Hash, r *bufio.Reader) error {
	at := 0
	for _, skipped := range []struct{ offset, bytes int }{{l.checksum, 4}, {l.directory, 8}} {
		if _, err := io.CopyN(sum, r, int64(skipped.offset-at)); err != nil {
			return err
		}
		if _, err := r.Discard(skipped.bytes); err != nil {
			return err
		}
		at = skipped.offset + skipped.bytes
	}
	if l.tableBytes > 0 {
		_, err := io.CopyN(sum, r, int64(l.tableOffset)-int64(at))
		return err
	}
	n, err := io.Copy(sum, r)
	if err == nil && uint64(n)+uint64(at) < l.sectionsEnd {
		err = fmt.Errorf("it ends at byte %d, its sections at %d", uint64(n)+uint64(at), l.sectionsEnd)
	}
	return err
}

// readTable looks at each signature. One that is wrong is no error: firmware goes on to the next, too (UEFI 2.10 §32.5.3.3).
func (i *Image) readTable(table []byte) error {
	for len(table) >= certificateHeaderSize {
		length := uint64(le.Uint32(table))
		if length < certificateHeaderSize || length > uint64(len(table)) {
			return fmt.Errorf("a signature says that it has %d bytes of %d", length, len(table))
		}
		kind, data := le.Uint16(table[6:]), table[certificateHeaderSize:length]
		signature, err := Signature{}, fmt.Errorf("a signature of type %#x is unknown", kind)
		if kind == certificateType {
			signature, err = i.verify(data)
		}
		if err != nil {
			i.Wrong = append(i.Wrong, err)
		} else {
			i.Signatures = append(i.Signatures, signature)
		}
		table = table[min(uint64(len(table)), (length+7)&^7):]
	}
	return nil
}

// verify reads the SignedData of an image and holds it against its digest.
func (i *Image) verify(data []byte) (Signature, error) {
	var whole asn1.RawValue // firmware and tools ignore the padding that length may count
	if _, err := asn1.Unmarshal(data, &whole); err != nil {
		return Signature{}, fmt.Errorf("cannot read signature: %w", err)
	}
	s, err := pkcs7.Parse(whole.FullBytes)
	if err != nil {
		return Signature{}, err
	}
	if !s.ContentType.Equal(oidIndirectData) {
		return Signature{}, fmt.Errorf("cannot read signature: its content %s is no Authenticode", s.ContentType)
	}
	var content indirectData
	if _, err := asn1.Unmarshal(s.Content, &content); err != nil {
		return Signature{}, fmt.Errorf("cannot read signature: %w", err)
	}
	if !content.Digest.Algorithm.Algorithm.Equal(oidSHA256) {
		return Signature{}, fmt.Errorf("cannot verify signature: its digest is %s instead of SHA-256", content.Digest.Algorithm.Algorithm)
	}
	if string(content.Digest.Digest) != string(i.Digest[:]) {
		return Signature{}, errors.New("cannot verify signature: the image was changed after it was signed")
	}
	signer, err := s.Verify(nil)
	if err != nil {
		return Signature{}, err
	}
	return Signature{Signer: signer, Certificates: s.Certificates}, nil
}
