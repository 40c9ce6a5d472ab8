package efisig

import (
	"crypto/x509"
	"errors"
	"fmt"
	"time"
	"unicode/utf16"

	"github.com/stele-os/stele/internal/gpt"
	"github.com/stele-os/stele/internal/pkcs7"
)

// Vendors of variables (UEFI 2.10 §3.3 and §32.6.1).
var (
	VendorGlobal   = gpt.MustGUID("8be4df61-93ca-11d2-aa0d-00e098032b8c") // EFI_GLOBAL_VARIABLE: PK, KEK, SecureBoot, SetupMode
	VendorSecurity = gpt.MustGUID("d719b2cb-3d3a-4596-a3bc-dad00e67656f") // EFI_IMAGE_SECURITY_DATABASE_GUID: db, dbx
)

// Attributes that PK, KEK, db and dbx have (UEFI 2.10 §8.2.1): kept, for boot and run time, authenticated by time.
const Attributes = 0x01 | 0x02 | 0x04 | 0x20

// VendorOf is the vendor of one of the four variables.
func VendorOf(name string) gpt.GUID {
	if name == "db" || name == "dbx" {
		return VendorSecurity
	}
	return VendorGlobal
}

// WIN_CERTIFICATE_UEFI_GUID (UEFI 2.10 §32.2.4).
const (
	timeSize        = 16 // EFI_TIME
	winHeaderSize   = 8 + 16
	winRevision     = 0x0200
	winTypeUEFIGUID = 0x0ef1 // WIN_CERT_TYPE_EFI_GUID
)

var typePKCS7 = gpt.MustGUID("4aafd29d-68df-49ee-8aa9-347d375665a7") // EFI_CERT_TYPE_PKCS7_GUID

// SignVariable returns what SetVariable takes to replace one of the four variables with value: EFI_VARIABLE_AUTHENTICATION_2, then the value. The key
// is PK's for PK and KEK, KEK's for db and dbx. Firmware takes it while it is newer than what the variable has now, down to the second.
func SignVariable(name string, value []byte, at time.Time, key pkcs7.Key) ([]byte, error) {
	stamp := encodeTime(at)
	signature, err := pkcs7.SignDetached(signedBytes(name, stamp, value), key)
	if err != nil {
		return nil, fmt.Errorf("cannot sign variable %s: %w", name, err)
	}
	b := append([]byte{}, stamp[:]...)
	b = le.AppendUint32(b, uint32(winHeaderSize+len(signature)))
	b = le.AppendUint16(b, winRevision)
	b = le.AppendUint16(b, winTypeUEFIGUID)
	b = append(append(b, typePKCS7[:]...), signature...)
	return append(b, value...), nil
}

// signedBytes is what a signature covers (UEFI 2.10 §8.2.6, step 3): name without its end, vendor, attributes, time, value.
func signedBytes(name string, stamp [timeSize]byte, value []byte) []byte {
	var b []byte
	for _, unit := range utf16.Encode([]rune(name)) {
		b = le.AppendUint16(b, unit)
	}
	vendor := VendorOf(name)
	b = le.AppendUint32(append(b, vendor[:]...), Attributes)
	return append(append(b, stamp[:]...), value...)
}

// encodeTime is an EFI_TIME (UEFI 2.10 §8.3) in UTC; fraction, zone and daylight must be zero here (§8.2.6).
func encodeTime(at time.Time) (b [timeSize]byte) {
	at = at.UTC()
	le.PutUint16(b[:], uint16(at.Year()))
	b[2], b[3], b[4], b[5], b[6] = byte(at.Month()), byte(at.Day()), byte(at.Hour()), byte(at.Minute()), byte(at.Second())
	return b
}

// Signed is a signed variable that was read.
type Signed struct {
	Time time.Time
	// Value is what the variable would be.
	Value []byte
	// Signer made the signature, which is right for Value.
	Signer *x509.Certificate
}

// ReadVariable reads what SignVariable wrote, and verifies that it is signed for this variable.
func ReadVariable(name string, b []byte) (Signed, error) {
	s, err := readVariable(name, b)
	if err != nil {
		return Signed{}, fmt.Errorf("cannot read signed variable %s: %w", name, err)
	}
	return s, nil
}

func readVariable(name string, b []byte) (Signed, error) {
	if len(b) < timeSize+winHeaderSize || len(b) > maxListBytes {
		return Signed{}, fmt.Errorf("it has %d bytes", len(b))
	}
	stamp, win := [timeSize]byte(b[:timeSize]), b[timeSize:]
	length := uint64(le.Uint32(win))
	if length < winHeaderSize || length > uint64(len(win)) || le.Uint16(win[6:]) != winTypeUEFIGUID || gpt.GUID(win[8:24]) != typePKCS7 {
		return Signed{}, errors.New("it does not begin with EFI_VARIABLE_AUTHENTICATION_2")
	}
	signature, err := pkcs7.Parse(win[winHeaderSize:length])
	if err != nil {
		return Signed{}, err
	}
	value := win[length:]
	signer, err := signature.Verify(signedBytes(name, stamp, value))
	if err != nil {
		return Signed{}, err
	}
	at := time.Date(int(le.Uint16(stamp[:])), time.Month(stamp[2]), int(stamp[3]), int(stamp[4]), int(stamp[5]), int(stamp[6]), 0, time.UTC)
	return Signed{at, value, signer}, nil
}
