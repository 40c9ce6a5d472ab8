package show

import (
	"fmt"
	"io"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	nodev1 "github.com/stele-os/stele/api/node/v1"
)

// Overview prints one line a machine.
func Overview(w io.Writer, answers map[string]*nodev1.StatusResponse, order []string) error {
	var rows [][]string
	for _, name := range order {
		s := answers[name]
		if s == nil {
			rows = append(rows, []string{name, "unreachable", "", "", "", "", ""})
			continue
		}
		ready := 0
		for _, c := range s.Containers {
			if c.Ready {
				ready++
			}
		}
		rows = append(rows, []string{name, s.GetHealth().GetPhase(), s.GetRunning().GetImage() + " " + s.GetRunning().GetVersion(), slotWord(s), fmt.Sprintf("%d/%d", ready, len(s.Containers)),
			s.GetUpdate().GetActivity(), duration(s.GetMachine().GetUptime().AsDuration())})
	}
	return Table(w, []string{"NODE", "HEALTH", "VERSION", "SLOT", "READY", "UPDATE", "UP"}, rows)
}

func slotWord(s *nodev1.StatusResponse) string {
	word := s.GetRunning().GetSlot()
	if !s.GetRunning().GetCommitted() {
		word += " (on probation)"
	}
	return word
}

// Status prints everything about one machine.
func Status(w io.Writer, name string, s *nodev1.StatusResponse) error {
	m, r := s.GetMachine(), s.GetRunning()
	facts := [][2]string{
		{"node", name + " (" + m.GetHostname() + ")"},
		{"health", s.GetHealth().GetPhase()},
		{"version", fmt.Sprintf("%s %s in slot %s", r.GetImage(), r.GetVersion(), slotWord(s))},
		{"up", duration(m.GetUptime().AsDuration())},
		{"machine", fmt.Sprintf("%s, %d processors, %d of %d MiB used", m.GetArchitecture(), m.GetProcessors(), m.GetMemoryUsedBytes()>>20, m.GetMemoryBytes()>>20)},
		{"kernel", m.GetKernel()},
		{"secure boot", words(m.GetSecureBoot(), m.GetSecureBootReason())},
		{"addresses", strings.Join(m.GetAddresses(), ", ")},
		{"document", strings.TrimSpace(s.GetDocument().GetPhase() + ", " + s.GetDocument().GetSource())},
		{"key", s.GetApi().GetFingerprint()},
	}
	if line := security(s); line != "" {
		facts = append(facts, [2]string{"security", line})
	}
	if at := s.GetDocument().GetRevertAt(); at != nil {
		facts = append(facts, [2]string{"on trial until", clock(at)})
	}
	for _, failure := range s.GetHealth().GetFailures() {
		facts = append(facts, [2]string{"failed", failure})
	}
	for _, f := range facts {
		if _, err := fmt.Fprintf(w, "%-15s %s\n", f[0], Clean(f[1])); err != nil {
			return err
		}
	}
	for _, part := range []func(io.Writer, *nodev1.StatusResponse) error{updates, slots, boots, statusContainers} {
		if err := part(w, s); err != nil {
			return err
		}
	}
	return nil
}

// security is the running version's security version and the floor; "" where neither was ever raised.
func security(s *nodev1.StatusResponse) string {
	own, floor := s.GetRunning().GetSecurityVersion(), s.GetUpdate().GetSecurityFloor()
	if own == 0 && floor == 0 {
		return ""
	}
	return fmt.Sprintf("version %d, takes %d or more", own, floor)
}

func updates(w io.Writer, s *nodev1.StatusResponse) error {
	u := s.GetUpdate()
	if u.GetActivity() == "probation" {
		fmt.Fprintf(w, "%-15s until %s\n", "probation", clock(u.GetDeadline()))
		for _, g := range u.GetGates() {
			fmt.Fprintf(w, "%-15s %s: %s\n", "gate", Clean(g.GetName()), Clean(words(g.GetState(), g.GetReason())))
		}
	}
	if u.GetRepository() != "" {
		fmt.Fprintf(w, "%-15s %s\n", "repository", Clean(u.GetRepository()))
	}
	if word := activity(u); word != "" {
		fmt.Fprintf(w, "%-15s %s\n", "update", Clean(word))
	}
	if u.GetAvailable() != "" {
		fmt.Fprintf(w, "%-15s %s\n", "available", Clean(u.GetAvailable()))
	}
	if u.GetError() != "" {
		fmt.Fprintf(w, "%-15s %s\n", "update failed", Clean(u.GetError()))
	}
	for _, r := range u.GetRejected() {
		fmt.Fprintf(w, "%-15s %s on %s: %s\n", "rejected", Clean(r.GetVersion()), clock(r.GetTime()), Clean(r.GetReason()))
	}
	return nil
}

// activity says what is done just now; "" for nothing that is not shown elsewhere.
func activity(u *nodev1.Update) string {
	if a := u.GetActivity(); a == "" || a == "idle" || a == "probation" {
		return ""
	}
	if u.GetActivity() != "staging" {
		return u.GetActivity()
	}
	return strings.TrimSuffix(u.GetActivity()+": "+progressText(u.GetProgress()), ": ")
}

func slots(w io.Writer, s *nodev1.StatusResponse) error {
	if len(s.Slots) == 0 {
		return nil
	}
	var rows [][]string
	for _, slot := range s.Slots {
		name, tries := slot.GetName(), ""
		if slot.GetRunning() {
			name += " *"
		}
		if slot.GetTriesLeft()+slot.GetTriesDone() > 0 {
			tries = fmt.Sprintf("%d left, %d used", slot.GetTriesLeft(), slot.GetTriesDone())
		}
		rows = append(rows, []string{name, slot.GetVersion(), slot.GetCondition(), tries, slot.GetReason()})
	}
	fmt.Fprintln(w)
	return Table(w, []string{"SLOT", "VERSION", "CONDITION", "TRIES", "WHY"}, rows)
}

func boots(w io.Writer, s *nodev1.StatusResponse) error {
	if len(s.Boots) == 0 {
		return nil
	}
	var rows [][]string
	for _, b := range s.Boots {
		rows = append(rows, []string{clock(b.GetStarted()), b.GetVersion(), b.GetSlot(), words(b.GetWhy(), b.GetAskedBy()), b.GetOutcome(), b.GetReason()})
	}
	fmt.Fprintln(w)
	return Table(w, []string{"BOOT", "VERSION", "SLOT", "WHY", "OUTCOME", "REASON"}, rows)
}

func statusContainers(w io.Writer, s *nodev1.StatusResponse) error {
	if len(s.Containers) == 0 {
		return nil
	}
	fmt.Fprintln(w)
	return Containers(w, s.Containers)
}

// Containers prints a table of containers.
func Containers(w io.Writer, all []*nodev1.Container) error {
	var rows [][]string
	for _, c := range all {
		ready := "no"
		if c.GetReady() {
			ready = "yes"
		}
		rows = append(rows, []string{c.GetName(), c.GetPhase(), ready, fmt.Sprint(c.GetRestarts()), c.GetImage(), c.GetReason()})
	}
	return Table(w, []string{"CONTAINER", "PHASE", "READY", "RESTARTS", "IMAGE", "REASON"}, rows)
}

func words(first, second string) string {
	switch {
	case second == "":
		return first
	case first == "":
		return second
	}
	return first + " (" + second + ")"
}

// Clock is how moments are written: the machine's clock is everyone's, so it is UTC.
const Clock = "2006-01-02 15:04:05Z"

// Event is what happened, in one line without its time.
func Event(e *nodev1.Event) string {
	what := e.GetKind()
	if e.GetObject() != "" {
		what += " " + e.GetObject()
	}
	return Clean(what + ": " + e.GetMessage())
}

func clock(t *timestamppb.Timestamp) string {
	if t == nil || t.AsTime().Unix() <= 0 {
		return "-"
	}
	return t.AsTime().UTC().Format(Clock)
}

func duration(d time.Duration) string { return d.Truncate(time.Second).String() }
