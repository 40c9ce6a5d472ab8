// Package pkcs8 reads and writes private keys in PEM files, plain ("PRIVATE KEY", RFC 5958) or encrypted by a passphrase ("ENCRYPTED PRIVATE KEY",
// PBES2 of RFC 8018 §6.2: PBKDF2 with HMAC-SHA-256, AES-256-CBC), which openssl reads and writes, too. The standard library has the plain form only.
//
// It does not read the older forms (PBES1, "DEK-Info" lines): their ciphers are broken.
package pkcs8

import (
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
)

// Types of PEM blocks.
const (
	plainType     = "PRIVATE KEY"
	encryptedType = "ENCRYPTED PRIVATE KEY"
	rsaType       = "RSA PRIVATE KEY" // PKCS #1
	ecType        = "EC PRIVATE KEY"  // SEC 1
)

const (
	// iterations of PBKDF2 in new files: OWASP Password Storage Cheat Sheet for HMAC-SHA-256.
	iterations = 600_000
	// maxIterations bounds what a file may ask for: some ten seconds.
	maxIterations = 10_000_000
	saltBytes     = 16
	keyBytes      = 32 // AES-256
)

// Object identifiers (RFC 8018 appendix B and C, RFC 3565).
var (
	oidPBES2      = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}
	oidPBKDF2     = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 12}
	oidHMACSHA256 = asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 9}
	oidAES256CBC  = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 42}
)

// encryptedKey is EncryptedPrivateKeyInfo (RFC 5958 §3).
type encryptedKey struct {
	Algorithm pkix.AlgorithmIdentifier
	Data      []byte
}

// pbes2 is PBES2-params (RFC 8018 appendix A.4).
type pbes2 struct {
	Derivation, Encryption pkix.AlgorithmIdentifier
}

// derivation is PBKDF2-params (appendix A.2).
type derivation struct {
	Salt       []byte
	Iterations int
	KeyBytes   int                      `asn1:"optional"`
	Function   pkix.AlgorithmIdentifier `asn1:"optional"`
}

// Encrypted tells whether a PEM file needs a passphrase.
func Encrypted(file []byte) bool {
	block, _ := pem.Decode(file)
	return block != nil && block.Type == encryptedType
}

// Decode reads a private key; passphrase is looked at only where the file is encrypted.
func Decode(file, passphrase []byte) (crypto.Signer, error) {
	block, _ := pem.Decode(file)
	if block == nil {
		return nil, errors.New("it holds no PEM block")
	}
	der := block.Bytes
	var key any
	var err error
	switch block.Type {
	case encryptedType:
		if der, err = decrypt(der, passphrase); err != nil {
			return nil, err
		}
		if key, err = x509.ParsePKCS8PrivateKey(der); err != nil {
			return nil, errWrong
		}
	case plainType:
		key, err = x509.ParsePKCS8PrivateKey(der)
	case rsaType:
		key, err = x509.ParsePKCS1PrivateKey(der)
	case ecType:
		key, err = x509.ParseECPrivateKey(der)
	default:
		return nil, fmt.Errorf("its PEM block is %q and no private key", block.Type)
	}
	if err != nil {
		return nil, err
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("a key of type %T cannot sign", key)
	}
	return signer, nil
}

// Encode writes a private key; passphrase nil: in clear.
func Encode(key crypto.Signer, passphrase []byte, random io.Reader) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	if passphrase == nil {
		return pem.EncodeToMemory(&pem.Block{Type: plainType, Bytes: der}), nil
	}
	if der, err = encrypt(der, passphrase, random); err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: encryptedType, Bytes: der}), nil
}

func encrypt(der, passphrase []byte, random io.Reader) ([]byte, error) {
	fresh := make([]byte, saltBytes+aes.BlockSize)
	if _, err := io.ReadFull(random, fresh); err != nil {
		return nil, err
	}
	salt, iv := fresh[:saltBytes], fresh[saltBytes:]
	block, err := newCipher(passphrase, salt, iterations)
	if err != nil {
		return nil, err
	}
	padding := aes.BlockSize - len(der)%aes.BlockSize // RFC 8018 §6.1.1, step 4
	for range padding {
		der = append(der, byte(padding))
	}
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(der, der)
	function := pkix.AlgorithmIdentifier{Algorithm: oidHMACSHA256, Parameters: asn1.NullRawValue}
	kdf, err := asn1.Marshal(derivation{Salt: salt, Iterations: iterations, Function: function})
	if err != nil {
		return nil, err
	}
	ivDER, err := asn1.Marshal(iv)
	if err != nil {
		return nil, err
	}
	parameters, err := asn1.Marshal(pbes2{
		pkix.AlgorithmIdentifier{Algorithm: oidPBKDF2, Parameters: asn1.RawValue{FullBytes: kdf}},
		pkix.AlgorithmIdentifier{Algorithm: oidAES256CBC, Parameters: asn1.RawValue{FullBytes: ivDER}},
	})
	if err != nil {
		return nil, err
	}
	return asn1.Marshal(encryptedKey{pkix.AlgorithmIdentifier{Algorithm: oidPBES2, Parameters: asn1.RawValue{FullBytes: parameters}}, der})
}

var errWrong = errors.New("the passphrase is wrong")

func decrypt(der, passphrase []byte) ([]byte, error) {
	var key encryptedKey
	var parameters pbes2
	var kdf derivation
	var iv []byte
	if _, err := asn1.Unmarshal(der, &key); err != nil {
		return nil, err
	}
	if !key.Algorithm.Algorithm.Equal(oidPBES2) {
		return nil, fmt.Errorf("its encryption %s is not PBES2", key.Algorithm.Algorithm)
	}
	if _, err := asn1.Unmarshal(key.Algorithm.Parameters.FullBytes, &parameters); err != nil {
		return nil, err
	}
	if !parameters.Derivation.Algorithm.Equal(oidPBKDF2) || !parameters.Encryption.Algorithm.Equal(oidAES256CBC) {
		return nil, errors.New("its encryption is not PBKDF2 with AES-256-CBC")
	}
	if _, err := asn1.Unmarshal(parameters.Derivation.Parameters.FullBytes, &kdf); err != nil {
		return nil, err
	}
	if _, err := asn1.Unmarshal(parameters.Encryption.Parameters.FullBytes, &iv); err != nil {
		return nil, err
	}
	switch {
	case !kdf.Function.Algorithm.Equal(oidHMACSHA256):
		return nil, errors.New("its encryption derives the key by another function than HMAC-SHA-256")
	case kdf.Iterations < 1 || kdf.Iterations > maxIterations:
		return nil, fmt.Errorf("it asks for %d iterations, more than %d", kdf.Iterations, maxIterations)
	case len(iv) != aes.BlockSize || len(key.Data) == 0 || len(key.Data)%aes.BlockSize != 0:
		return nil, errors.New("its encrypted data is cut off")
	}
	block, err := newCipher(passphrase, kdf.Salt, kdf.Iterations)
	if err != nil {
		return nil, err
	}
	plain := make([]byte, len(key.Data))
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(plain, key.Data)
	padding := int(plain[len(plain)-1])
	if padding < 1 || padding > aes.BlockSize {
		return nil, errWrong
	}
	return plain[:len(plain)-padding], nil
}

func newCipher(passphrase, salt []byte, count int) (cipher.Block, error) {
	key, err := pbkdf2.Key(sha256.New, string(passphrase), salt, count, keyBytes)
	if err != nil {
		return nil, err
	}
	return aes.NewCipher(key)
}
