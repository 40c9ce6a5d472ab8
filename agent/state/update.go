package state

import "time"

// Slot is one of the two places of a version on the disk.
type Slot struct {
	Name     string `json:"name"` // "a" or "b"
	Version  string `json:"version,omitempty"`
	RootHash string `json:"rootHash,omitempty"` // hex
	// SecurityVersion that its boot entry says.
	SecurityVersion int64         `json:"securityVersion,omitempty"`
	State           SlotCondition `json:"condition"`
	Running         bool          `json:"running,omitempty"`
	// Left and Done count boots (UAPI.1, "Boot Counting"); both 0 where the entry has no counter.
	Left int `json:"left,omitempty"`
	Done int `json:"done,omitempty"`
	// Reason why it is rejected or damaged.
	Reason string `json:"reason,omitempty"`
}

// SlotCondition says what a slot holds.
type SlotCondition string

// The conditions of a slot.
const (
	SlotEmpty     SlotCondition = "empty"
	SlotWriting   SlotCondition = "writing"   // a staging has begun and not ended, in this boot or an earlier one
	SlotStaged    SlotCondition = "staged"    // complete and verified; the loader starts it only after apply
	SlotTrying    SlotCondition = "trying"    // armed, or on probation
	SlotCommitted SlotCondition = "committed" // has proven itself
	SlotRejected  SlotCondition = "rejected"  // its tries are used up, or its gates did not hold
	SlotDamaged   SlotCondition = "damaged"   // partitions and boot entry do not belong together
)

// Activity is what the update manager does.
type Activity string

// The activities.
const (
	ActivityIdle      Activity = "idle"
	ActivityChecking  Activity = "checking"
	ActivityStaging   Activity = "staging"
	ActivityProbation Activity = "probation"
	ActivityGoingDown Activity = "going-down"
)

// Update is what the update manager knows.
type Update struct {
	// Slots a and b; none where the machine was not started from a disk.
	Slots []Slot `json:"slots,omitempty"`
	// Committed: the running version has proven itself. False while on probation.
	Committed bool     `json:"committed"`
	Activity  Activity `json:"activity"`
	// Available is the newest version that the last check found; empty: nothing newer.
	Available string    `json:"available,omitempty"`
	CheckedAt time.Time `json:"checkedAt,omitzero"`
	// Error of the last activity, a sentence.
	Error    string   `json:"error,omitempty"`
	Progress Progress `json:"progress,omitzero"`
	// Gates of the version on probation, and when its time is over.
	Gates    []Gate      `json:"gates,omitempty"`
	Deadline time.Time   `json:"deadline,omitzero"`
	Rejected []Rejection `json:"rejected,omitempty"`
	// SecurityFloor is the security version below which nothing is staged.
	SecurityFloor int64 `json:"securityFloor,omitempty"`
}

// Progress of a staging. Sizes are bytes before compression, but for Fetched.
type Progress struct {
	Version string `json:"version,omitempty"`
	// Phase is metadata, preparing, writing, verifying, installing or done.
	Phase   string `json:"phase,omitempty"`
	Done    int64  `json:"done"`
	Total   int64  `json:"total"`
	Fetched int64  `json:"fetched"` // over the network
	Reused  int64  `json:"reused"`  // found in one of the slots
}

// Gate is one condition of a version on probation.
type Gate struct {
	Name string `json:"name"` // "settled", "api", "container web", "http shop", "exec smoke", "confirmation"
	// State is waiting, held or failed. Failed is final: the version is rejected at once.
	State  string    `json:"state"`
	Reason string    `json:"reason,omitempty"`
	Since  time.Time `json:"since,omitzero"`
}

// Rejection is a version that this machine does not take again by itself.
type Rejection struct {
	Version  string    `json:"version"`
	RootHash string    `json:"rootHash"`
	Reason   string    `json:"reason"`
	Time     time.Time `json:"time"`
}

// Outcome says how a boot ended, or where it stands. These words appear on the console.
type Outcome string

// The outcomes of a boot.
const (
	OutcomeRunning    Outcome = "running"     // not ended yet
	OutcomeRestarted  Outcome = "restarted"   // asked to
	OutcomePoweredOff Outcome = "powered-off" // asked to
	OutcomeRejected   Outcome = "rejected"    // its gates did not hold; it went back by itself
	OutcomeRolledBack Outcome = "rolled-back" // someone asked for the other version
	OutcomePanicked   Outcome = "panicked"    // the kernel's last words say so
	OutcomeHung       Outcome = "hung"        // the watchdog ended it
	OutcomeLost       Outcome = "lost"        // ended without a word: power cut or reset
	OutcomeNoAgent    Outcome = "no-agent"    // the loader used up its tries and the agent never ran
)

// BootStory is one boot: what was started, who asked, what its gates said, how it ended.
type BootStory struct {
	// ID is the kernel's boot id, or one made up for a boot that never reached the agent.
	ID        string    `json:"id"`
	Image     string    `json:"image,omitempty"`
	Version   string    `json:"version"`
	Slot      string    `json:"slot,omitempty"`
	Started   time.Time `json:"started,omitzero"`
	Ended     time.Time `json:"ended,omitzero"`
	Left      int       `json:"left,omitempty"` // of the boot counter, as the loader left it
	Done      int       `json:"done,omitempty"`
	Committed bool      `json:"committed,omitempty"` // at its end
	AskedBy   string    `json:"askedBy,omitempty"`   // certificate subject
	Why       string    `json:"why,omitempty"`       // such as "update from 1.0.0"
	Outcome   Outcome   `json:"outcome"`
	Reason    string    `json:"reason,omitempty"` // a sentence
	Gates     []Gate    `json:"gates,omitempty"`
	Panic     string    `json:"panic,omitempty"` // the kernel's last words, at most 8 KiB
}

// API is where and as whom the API server listens.
type API struct {
	// Port 0: it does not listen.
	Port int `json:"port"`
	// Fingerprint of the server's key: "SHA256:" and the unpadded base64 of the SHA-256 of its SubjectPublicKeyInfo (RFC 5280 §4.1).
	// It stays the same when the certificate is renewed.
	Fingerprint string    `json:"fingerprint,omitempty"`
	SelfSigned  bool      `json:"selfSigned,omitempty"`
	NotAfter    time.Time `json:"notAfter,omitzero"`
	Error       string    `json:"error,omitempty"`
}
