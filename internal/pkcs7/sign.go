package pkcs7

import (
	"bytes"
	"cmp"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"
)

// Key is a private key with its certificate. The key may be a crypto.MessageSigner that does not hand digests out, such as a program.
type Key struct {
	Private     crypto.Signer
	Certificate *x509.Certificate
}

// SignContent signs content, the DER of a value of this type, which the result holds (as Authenticode has it), and returns a whole ContentInfo.
// What is signed are two attributes, type and digest of the content (RFC 5652 §5.4).
func SignContent(contentType asn1.ObjectIdentifier, content []byte, k Key) ([]byte, error) {
	value, err := valueOf(content)
	if err != nil {
		return nil, fmt.Errorf("cannot sign: %w", err)
	}
	attributes, err := signedAttributes(contentType, sha256.Sum256(value))
	if err != nil {
		return nil, fmt.Errorf("cannot sign: %w", err)
	}
	info, err := k.sign(attributes) // the digest is of the explicit SET OF tag
	if err != nil {
		return nil, err
	}
	info.Attributes = asn1.RawValue{FullBytes: retag(attributes, 0xa0)}
	data, err := k.signedData(contentInfo{contentType, explicit(content)}, info)
	if err != nil {
		return nil, err
	}
	return asn1.Marshal(contentInfo{oidSignedData, explicit(data)})
}

// SignDetached signs a message that the result does not hold, without attributes, and returns a SignedData without ContentInfo around it: what
// UEFI 2.10 §8.2.2 asks of an authenticated variable, and what old firmware insists on.
func SignDetached(message []byte, k Key) ([]byte, error) {
	info, err := k.sign(message)
	if err != nil {
		return nil, err
	}
	return k.signedData(contentInfo{Type: OIDData}, info)
}

func (k Key) sign(message []byte) (signerInfo, error) {
	algorithm, err := algorithmOf(k.Certificate.PublicKey)
	if err != nil {
		return signerInfo{}, fmt.Errorf("cannot sign: %w", err)
	}
	// Without random numbers ECDSA is deterministic; PKCS #1 v1.5 always is.
	signature, err := crypto.SignMessage(k.Private, nil, message, crypto.SHA256)
	if err != nil {
		return signerInfo{}, fmt.Errorf("cannot sign: %w", err)
	}
	if err := checkSignature(k.Certificate.PublicKey, message, signature); err != nil {
		return signerInfo{}, errors.New("cannot sign: the private key is not that of the certificate")
	}
	return signerInfo{
		Version: 1, IssuerAndSerial: issuerAndSerial{asn1.RawValue{FullBytes: k.Certificate.RawIssuer}, k.Certificate.SerialNumber},
		DigestAlgorithm: sha256Identifier, SignatureAlgorithm: algorithm, Signature: signature,
	}, nil
}

func (k Key) signedData(content contentInfo, info signerInfo) ([]byte, error) {
	data, err := asn1.Marshal(signedData{
		Version: 1, DigestAlgorithms: []pkix.AlgorithmIdentifier{sha256Identifier}, Content: content, SignerInfos: []signerInfo{info},
		Certificates: asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: k.Certificate.Raw},
	})
	if err != nil {
		return nil, fmt.Errorf("cannot encode signature: %w", err)
	}
	return data, nil
}

// signedAttributes is the DER of SET OF Attribute: sorted (X.690 §11.6).
func signedAttributes(contentType asn1.ObjectIdentifier, digest [32]byte) ([]byte, error) {
	var encoded [][]byte
	for _, a := range []struct {
		oid   asn1.ObjectIdentifier
		value any
	}{{oidContentType, contentType}, {oidMessageDigest, digest[:]}} {
		value, err := asn1.Marshal(a.value)
		if err != nil {
			return nil, err
		}
		one, err := asn1.Marshal(attribute{a.oid, []asn1.RawValue{{FullBytes: value}}})
		if err != nil {
			return nil, err
		}
		encoded = append(encoded, one)
	}
	slices.SortFunc(encoded, bytes.Compare)
	return asn1.Marshal(asn1.RawValue{Tag: asn1.TagSet, IsCompound: true, Bytes: bytes.Join(encoded, nil)})
}

// algorithmOf is what the signature's algorithm is called for a public key.
func algorithmOf(public crypto.PublicKey) (pkix.AlgorithmIdentifier, error) {
	switch public.(type) {
	case *rsa.PublicKey:
		return pkix.AlgorithmIdentifier{Algorithm: oidRSA, Parameters: asn1.NullRawValue}, nil
	case *ecdsa.PublicKey:
		return pkix.AlgorithmIdentifier{Algorithm: oidECDSAWithSHA256}, nil
	}
	return pkix.AlgorithmIdentifier{}, fmt.Errorf("a key of type %T is neither RSA nor ECDSA", public)
}

// valueOf is what lies behind tag and length of one DER value.
func valueOf(der []byte) ([]byte, error) {
	var raw asn1.RawValue
	rest, err := asn1.Unmarshal(der, &raw)
	return raw.Bytes, cmp.Or(err, trailing(rest))
}

func trailing(rest []byte) error {
	if len(rest) > 0 {
		return fmt.Errorf("%d bytes follow the end", len(rest))
	}
	return nil
}

func explicit(content []byte) asn1.RawValue {
	return asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: content}
}

// retag replaces the first byte of a DER value.
func retag(der []byte, tag byte) []byte {
	changed := slices.Clone(der)
	changed[0] = tag
	return changed
}
