package faults

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	nodev1 "github.com/stele-os/stele/api/node/v1"
	"github.com/stele-os/stele/internal/vm"
)

// Row is one bad update.
type Row struct {
	// Class of the fault in words.
	Class string
	// Run begins and ends with the good version in service.
	Run func(ctx context.Context, m *Machine) (Outcome, error)
	// Reason is a pattern of what the API reports, Console one of a line of the console.
	Reason, Console string
	// Trouble: the kernel may say that something is broken. Else it must not.
	Trouble bool
}

// Outcome is what a row's Run has seen.
type Outcome struct {
	// Fault is when it began, Back when the good version was in service again.
	Fault, Back time.Time
	// Reason as the API reports it.
	Reason string
}

// Result of a row.
type Result struct {
	Class   string  `json:"class"`
	Seconds float64 `json:"seconds"`
	Reason  string  `json:"reason"`
}

// String is a line for programs: "fault: <class> back-in-service <seconds>".
func (r Result) String() string {
	return fmt.Sprintf("fault: %s back-in-service %.1f", r.Class, r.Seconds)
}

// Do runs a row on a machine. After an error the machine may be in any state.
func (r Row) Do(ctx context.Context, m *Machine) (Result, error) {
	running, first := m.VM, m.Console.Next()
	outcome, err := r.Run(ctx, m)
	if m.VM != running { // it was powered on anew
		first = 0
	}
	result := Result{r.Class, outcome.Back.Sub(outcome.Fault).Seconds(), outcome.Reason}
	if err != nil {
		return result, fmt.Errorf("%s: %w", r.Class, err)
	}
	errs := []error{matches("the API reports", r.Reason, outcome.Reason)}
	if r.Console != "" {
		errs = append(errs, m.said(ctx, first, r.Console))
	}
	if !r.Trouble {
		errs = append(errs, m.Calm(first))
	}
	if err := errors.Join(errs...); err != nil {
		return result, fmt.Errorf("%s: %w", r.Class, err)
	}
	return result, nil
}

func matches(what, pattern, text string) error {
	if !regexp.MustCompile(pattern).MatchString(text) {
		return fmt.Errorf("%s %q, which does not match %q", what, text, pattern)
	}
	return nil
}

// said waits for a line of the console.
func (m *Machine) said(ctx context.Context, first int, pattern string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, fmt.Errorf("not within %v", timeout))
	defer cancel()
	_, err := m.ExpectFrom(ctx, first, pattern)
	return err
}

var trouble = regexp.MustCompile(strings.Join(append([]string{`\bpanic: `, `\bfatal error: `}, vm.KernelTrouble...), "|"))

// Calm fails where kernel or agent said that something is broken.
func (m *Machine) Calm(first int) error {
	for _, line := range m.Console.Lines(first) {
		if trouble.MatchString(line.Text) {
			return fmt.Errorf("console line %d is trouble: %q", line.Index+1, line.Text)
		}
	}
	return nil
}

// Slot of a status.
func Slot(s *nodev1.StatusResponse, name string) *nodev1.Slot {
	for _, slot := range s.GetSlots() {
		if slot.GetName() == name {
			return slot
		}
	}
	return nil
}

// rejected looks whether the good version runs and the bad one is rejected, and returns why.
func rejected(s *nodev1.StatusResponse, version string) (string, error) {
	if r := s.GetRunning(); r.GetVersion() != Good || !r.GetCommitted() {
		return "", fmt.Errorf("running: %v", r)
	}
	if b := Slot(s, "b"); b.GetVersion() != version || b.GetCondition() != "rejected" && b.GetCondition() != "damaged" {
		return "", fmt.Errorf("the other slot: %v", b)
	}
	list := s.GetUpdate().GetRejected()
	for i := range list {
		if r := list[len(list)-1-i]; r.GetVersion() == version {
			return r.GetReason(), told(s, version)
		}
	}
	return "", fmt.Errorf("%s is not among the rejected versions: %v", version, list)
}

// told looks whether the boots' stories tell of the version, and that the present one came back from it.
func told(s *nodev1.StatusResponse, version string) error {
	boots := s.GetBoots()
	if len(boots) < 2 || boots[1].GetVersion() != version || boots[1].GetReason() == "" {
		return fmt.Errorf("no story of the boot of %s: %v", version, boots)
	}
	if !strings.HasPrefix(boots[0].GetWhy(), "back from "+version) {
		return fmt.Errorf("the present boot does not know where it came from: %v", boots[0])
	}
	return nil
}
