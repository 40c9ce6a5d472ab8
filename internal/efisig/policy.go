package efisig

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"

	"github.com/stele-os/stele/internal/authenticode"
)

// Policy is what firmware judges images by: the values of db and dbx.
type Policy struct {
	DB, DBX []Entry
}

// maxChain bounds the way from the one who signed to a certificate in db.
const maxChain = 8

// Check returns nil where firmware would start the image, and otherwise why not (UEFI 2.10 §32.5.3.3, and what EDK2's DxeImageVerificationLib makes
// of it): not in dbx, by its digest or by any certificate on the way; and in db, by its digest or by a certificate on the way. When certificates expire
// plays no part: firmware has no clock to trust.
func (p Policy) Check(image authenticode.Image) error {
	if has(p.DBX, TypeSHA256, image.Digest[:]) {
		return fmt.Errorf("dbx forbids its digest %x", image.Digest)
	}
	allowed := has(p.DB, TypeSHA256, image.Digest[:])
	err := errors.New("it is not signed, and db does not list its digest")
	if len(image.Wrong) > 0 {
		err = image.Wrong[0]
	}
	for _, s := range image.Signatures {
		way := p.way(s)
		for _, c := range way {
			if p.forbids(c) {
				return fmt.Errorf("dbx forbids the certificate %q, which has signed it", c.Subject)
			}
		}
		if p.allows(way) {
			allowed = true
		} else {
			err = fmt.Errorf("it is signed by %q, and db holds no certificate that leads there", s.Signer.Subject)
		}
	}
	if allowed {
		return nil
	}
	return err
}

// way is the signer and those that vouch for it, as far as the certificates at hand lead.
func (p Policy) way(s authenticode.Signature) []*x509.Certificate {
	way := []*x509.Certificate{s.Signer}
	known := append(p.certificates(p.DB), s.Certificates...)
	known = append(known, p.certificates(p.DBX)...)
	for len(way) < maxChain {
		last := way[len(way)-1]
		var issuer *x509.Certificate
		for _, c := range known {
			if !bytes.Equal(c.Raw, last.Raw) && bytes.Equal(c.RawSubject, last.RawIssuer) &&
				c.CheckSignature(last.SignatureAlgorithm, last.RawTBSCertificate, last.Signature) == nil {
				issuer = c
				break
			}
		}
		if issuer == nil {
			break
		}
		way = append(way, issuer)
	}
	return way
}

func (p Policy) allows(way []*x509.Certificate) bool {
	for _, c := range way {
		if has(p.DB, TypeX509, c.Raw) {
			return true
		}
	}
	return false
}

// forbids: by the certificate itself, or by the digest of what it says (EFI_CERT_X509_SHA256: 32 bytes, then since when; a signature has no time that
// could be believed, so any counts).
func (p Policy) forbids(c *x509.Certificate) bool {
	digest := sha256.Sum256(c.RawTBSCertificate)
	for _, e := range p.DBX {
		if e.Type == TypeX509 && bytes.Equal(e.Data, c.Raw) || e.Type == TypeX509SHA256 && len(e.Data) >= 32 && bytes.Equal(e.Data[:32], digest[:]) {
			return true
		}
	}
	return false
}

// certificates are those of a list that can be read.
func (p Policy) certificates(entries []Entry) (found []*x509.Certificate) {
	for _, e := range entries {
		if e.Type != TypeX509 {
			continue
		}
		if c, err := x509.ParseCertificate(e.Data); err == nil {
			found = append(found, c)
		}
	}
	return found
}

func has(entries []Entry, kind [16]byte, data []byte) bool {
	for _, e := range entries {
		if e.Type == kind && bytes.Equal(e.Data, data) {
			return true
		}
	}
	return false
}
