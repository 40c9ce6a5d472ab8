package repository

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// Roles of TUF (specification 1.0.33, 2.1), in the order in which they are shown.
var Roles = []string{metadata.ROOT, metadata.TARGETS, metadata.SNAPSHOT, metadata.TIMESTAMP}

const day = 24 * time.Hour

// Expires says for each role how long a signature is valid.
type Expires map[string]time.Duration

// DefaultExpires are long where a person has to fetch a key from a safe, and short where a program signs: timestamp's is how long a machine
// can be kept from hearing of new versions without noticing (TUF specification 1.0.33, 1.5.2 "Indefinite freeze attacks").
func DefaultExpires() Expires {
	return Expires{metadata.ROOT: 730 * day, metadata.TARGETS: 365 * day, metadata.SNAPSHOT: 30 * day, metadata.TIMESTAMP: 7 * day}
}

// Set reads "ROLE=TIME[,ROLE=TIME...]" over what is there; a time is a number of days ("30d") or a Go duration ("36h").
func (e Expires) Set(text string) error {
	for _, field := range strings.Split(text, ",") {
		role, value, _ := strings.Cut(field, "=")
		if !slices.Contains(Roles, role) {
			return fmt.Errorf("%q is none of the roles %s", role, strings.Join(Roles, ", "))
		}
		d, err := parseTime(value)
		if err != nil {
			return fmt.Errorf("%q is no time such as 30d or 36h", value)
		}
		e[role] = d
	}
	return nil
}

// maxExpires keeps dates inside of what all clients can read.
const maxExpires = 100 * 366 * day

func parseTime(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if days, ok := strings.CutSuffix(s, "d"); ok {
		n, parseErr := strconv.ParseUint(days, 10, 16)
		d, err = time.Duration(n)*day, parseErr
	}
	if err == nil && (d < time.Minute || d > maxExpires) {
		err = errors.New("out of range")
	}
	return d, err
}

// String is the form that Set reads.
func (e Expires) String() string {
	var fields []string
	for _, role := range slices.Sorted(maps.Keys(e)) {
		value := e[role].String()
		if e[role]%day == 0 {
			value = fmt.Sprintf("%dd", e[role]/day)
		}
		fields = append(fields, role+"="+value)
	}
	return strings.Join(fields, ",")
}

// Type names the value in help texts.
func (Expires) Type() string { return "ROLE=TIME" }

// at is when a signature of now ends. TUF has no fractions of seconds (specification 1.0.33, 4.2.2).
func (o Options) expiresAt(role string) time.Time {
	return o.Now().UTC().Truncate(time.Second).Add(o.Expires[role])
}
