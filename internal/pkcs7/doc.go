// Package pkcs7 makes and checks the signatures that UEFI asks for: PKCS #7 1.5 SignedData (RFC 2315 §9, in the words of RFC 5652 §5) with
// one signer, SHA-256, and RSA (PKCS #1 v1.5) or ECDSA keys.
//
// The same key and message give the same bytes: nothing here knows the time, and ECDSA is the deterministic one (RFC 6979) wherever the
// private key is at hand. Only DER is read: encoding/asn1 knows no BER, and neither does firmware.
//
// It decides nothing about trust: who signed is a certificate, and whether that one counts is for efisig.Policy.
package pkcs7
