package state

// Health is the machine's state in one word, and what is not as it should be.
type Health struct {
	// Phase is one of the console's words behind "state: ".
	Phase string `json:"phase"`
	// Failures are "<object>: <reason>", the most basic first.
	Failures []string `json:"failures,omitempty"`
}
