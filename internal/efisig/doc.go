// Package efisig reads and writes what UEFI Secure Boot keeps in variables: signature lists (EFI_SIGNATURE_LIST, UEFI 2.10 §32.4.1) and
// authenticated variables (EFI_VARIABLE_AUTHENTICATION_2, §8.2.6), and judges images by them as firmware does (§32.5.3.3).
//
//	PK   one certificate: who may change KEK           KEK   certificates: who may change db and dbx
//	db   certificates and digests that may start       dbx   certificates and digests that must not, whatever db says
//
// It reads bytes that others wrote, in bounded memory; it touches neither files nor variables.
package efisig
