package gpt

// Partition types. ESP is defined by UEFI 2.10 §5.3.3 Table 5.7; the others by the Discoverable Partitions Specification
// (UAPI.2), section "Defined Partition Type GUIDs".
var (
	// TypeESP is an EFI system partition.
	TypeESP = MustGUID("c12a7328-f81f-11d2-ba4b-00a0c93ec93b")
	// TypeRootX86_64 is SD_GPT_ROOT_X86_64; its GUID is the first 128 bits of the root hash.
	TypeRootX86_64 = MustGUID("4f68bce3-e8cd-4db1-96e7-fbcaf984b709")
	// TypeRootX86_64Verity is SD_GPT_ROOT_X86_64_VERITY; its GUID is the last 128 bits of the root hash.
	TypeRootX86_64Verity = MustGUID("2c7357ed-ebd2-46d9-aec1-23d437ec2bf5")
	// TypeRootARM64 is SD_GPT_ROOT_ARM64.
	TypeRootARM64 = MustGUID("b921b045-1df0-41c3-af44-4c6f280d3fae")
	// TypeRootARM64Verity is SD_GPT_ROOT_ARM64_VERITY.
	TypeRootARM64Verity = MustGUID("df3300ce-d69f-4c92-978c-9bfb0f38d820")
	// TypeVar is SD_GPT_VAR, the variable data of one installation.
	TypeVar = MustGUID("4d21b016-b534-45c2-a9fb-5c16e091fd2d")
)

// Attribute bits of root, verity and var partitions (Discoverable Partitions Specification, "Partition Flags").
const (
	// AttributeNoAuto keeps other systems from mounting the partition by themselves.
	AttributeNoAuto = 1 << 63
	// AttributeReadOnly marks the partition as not to be written.
	AttributeReadOnly = 1 << 60
	// AttributeGrowFS asks for the file system to be grown to the partition.
	AttributeGrowFS = 1 << 59
)
