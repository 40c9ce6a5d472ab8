package pkcs7

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
)

// Signature is a SignedData that was read; nothing about it is verified until Verify.
type Signature struct {
	// ContentType and Content (DER) are what it holds; Content is nil where the signature is detached.
	ContentType asn1.ObjectIdentifier
	Content     []byte
	// Certificates that came along, in their order; those that cannot be read are left out.
	Certificates []*x509.Certificate

	signers []signerInfo
}

// Parse reads a SignedData, with ContentInfo around it or without.
func Parse(der []byte) (*Signature, error) {
	s, err := parse(der)
	if err != nil {
		return nil, fmt.Errorf("cannot read signature: %w", err)
	}
	return s, nil
}

func parse(der []byte) (*Signature, error) {
	var outer contentInfo
	if rest, err := asn1.Unmarshal(der, &outer); err == nil {
		if len(rest) > 0 || !outer.Type.Equal(oidSignedData) {
			return nil, errors.New("it is no PKCS #7 SignedData")
		}
		der = outer.Content.Bytes
	}
	var data signedData
	rest, err := asn1.Unmarshal(der, &data)
	if err == nil {
		err = trailing(rest)
	}
	if err != nil {
		return nil, err
	}
	if len(data.SignerInfos) == 0 {
		return nil, errors.New("nobody has signed it")
	}
	s := &Signature{ContentType: data.Content.Type, Content: data.Content.Content.Bytes, signers: data.SignerInfos}
	for left := data.Certificates.Bytes; len(left) > 0; {
		var one asn1.RawValue
		if left, err = asn1.Unmarshal(left, &one); err != nil {
			return nil, fmt.Errorf("its certificates: %w", err)
		}
		if c, err := x509.ParseCertificate(one.FullBytes); err == nil {
			s.Certificates = append(s.Certificates, c)
		}
	}
	return s, nil
}

// Verify checks the signature over a message (nil: over the content it holds) and returns the certificate of the one who signed. Of several
// signers, which UEFI does not have, the first counts.
func (s *Signature) Verify(message []byte) (*x509.Certificate, error) {
	signer, err := s.verify(message)
	if err != nil {
		return nil, fmt.Errorf("cannot verify signature: %w", err)
	}
	return signer, nil
}

func (s *Signature) verify(message []byte) (*x509.Certificate, error) {
	info := s.signers[0]
	if !info.DigestAlgorithm.Algorithm.Equal(oidSHA256) {
		return nil, fmt.Errorf("its digest is %s instead of SHA-256", info.DigestAlgorithm.Algorithm)
	}
	signer := s.signer(info.IssuerAndSerial)
	if signer == nil {
		return nil, errors.New("the certificate of the one who signed is not in it")
	}
	if message == nil {
		content, err := valueOf(s.Content)
		if err != nil {
			return nil, fmt.Errorf("its content: %w", err)
		}
		message = content
	}
	if len(info.Attributes.FullBytes) > 0 {
		if err := checkAttributes(info.Attributes.Bytes, s.ContentType, sha256.Sum256(message)); err != nil {
			return nil, err
		}
		message = retag(info.Attributes.FullBytes, 0x31)
	}
	return signer, checkSignature(signer.PublicKey, message, info.Signature)
}

func (s *Signature) signer(id issuerAndSerial) *x509.Certificate {
	for _, c := range s.Certificates {
		if bytes.Equal(c.RawIssuer, id.Issuer.FullBytes) && c.SerialNumber.Cmp(id.Serial) == 0 {
			return c
		}
	}
	return nil
}

// checkAttributes: the signed attributes name this content.
func checkAttributes(der []byte, contentType asn1.ObjectIdentifier, digest [32]byte) error {
	var typeSeen, digestSeen bool
	for len(der) > 0 {
		var a attribute
		rest, err := asn1.Unmarshal(der, &a)
		if err != nil {
			return fmt.Errorf("its attributes: %w", err)
		}
		der = rest
		if len(a.Values) != 1 {
			continue
		}
		value := a.Values[0].FullBytes
		switch {
		case a.Type.Equal(oidContentType):
			var oid asn1.ObjectIdentifier
			if _, err := asn1.Unmarshal(value, &oid); err != nil || !oid.Equal(contentType) {
				return errors.New("its attributes name another type of content")
			}
			typeSeen = true
		case a.Type.Equal(oidMessageDigest):
			var got []byte
			if _, err := asn1.Unmarshal(value, &got); err != nil || !bytes.Equal(got, digest[:]) {
				return errors.New("what was signed has another digest")
			}
			digestSeen = true
		}
	}
	if !typeSeen || !digestSeen {
		return errors.New("its attributes lack type or digest of the content")
	}
	return nil
}

func checkSignature(public crypto.PublicKey, message, signature []byte) error {
	digest := sha256.Sum256(message)
	switch key := public.(type) {
	case *rsa.PublicKey:
		if err := rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], signature); err != nil {
			return errors.New("the RSA signature is wrong")
		}
		return nil
	case *ecdsa.PublicKey:
		if !ecdsa.VerifyASN1(key, digest[:], signature) {
			return errors.New("the ECDSA signature is wrong")
		}
		return nil
	}
	return fmt.Errorf("a key of type %T is neither RSA nor ECDSA", public)
}
