// Package bootmodel says what a machine would boot from a disk: UEFI firmware, systemd-boot 257 and the kernel up to the root file system, in pure Go.
// With internal/powercut it is the judge of every disk that a power cut may leave.
//
//	protective MBR, GPT (primary, else backup) -> EFI system partition -> FAT32, first table -> EFI/BOOT/BOOTX64.EFI -> loader.conf
//	  -> EFI/Linux/*.efi, listed and ordered as the loader does (internal/bls) -> the first, its counter moved
//	  -> PE image whole? -> command line -> the partitions named by PARTUUID, first match -> dm-verity over every block
//	  -> boots, or counts as a failed try, and the loader chooses again
//
// It is a reader of its own: FAT, PE headers, the command line and the hash tree are read here a second time, so that a mistake of internal/fat
// or internal/uki does not hide itself. What is taken from elsewhere has judges of its own: internal/gpt (sgdisk), internal/bls (systemd-analyze),
// internal/verity (veritysetup).
//
// It is stricter than a machine: a root is taken for bootable only when every block of it verifies, not only those that a boot reads; and where the
// UKIs are known (Model.Know), one byte of a kernel that differs is a kernel that does not start. It does not model EFI variables, Secure Boot, what the
// loader writes to the disk, nor time.
package bootmodel
