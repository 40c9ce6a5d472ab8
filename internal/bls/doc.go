// Package bls is the Boot Loader Specification's naming of boot entries (UAPI.1, "Boot Counting" and "Sorting"), and its order of
// versions (UAPI.10, "Version Format Specification"), as systemd-boot 257 reads them: a pure model of which entry the loader starts.
//
// The model is that of a loader.conf without "default" and of a machine without EFI variables that name an entry; only Type 2
// entries (EFI/Linux/*.efi) on the ESP exist. Where the specification and the loader differ, the loader is followed, since it is what boots:
// a malformed counter is no error to it but makes the entry a good one, and an entry without tries left is still started when it is
// the only one.
package bls
