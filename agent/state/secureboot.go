package state

// SecureBoot is whether the firmware verifies what it starts.
type SecureBoot struct {
	// State is one of the words below.
	State string `json:"state,omitempty"`
	// Reason why it is none or unknown, half a sentence.
	Reason string `json:"reason,omitempty"`
}

// The states of Secure Boot. These words appear on the console.
const (
	SecureBootEnabled  = "enabled"
	SecureBootDisabled = "disabled"
	SecureBootSetup    = "setup mode" // disabled, and the firmware waits for keys
	SecureBootNone     = "none"       // no UEFI
	SecureBootUnknown  = "unknown"    // its variables cannot be read
)

// String is the state with its reason.
func (s SecureBoot) String() string {
	if s.Reason == "" {
		return s.State
	}
	return s.State + ": " + s.Reason
}
