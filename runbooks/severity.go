package runbooks

import (
	"encoding/json"
	"fmt"
)

// Severity is a level of the incident key (process-runbooks.md, "Incident classification key"), or
// Unknown. The zero value is Unknown, so a state that was not observed never counts as healthy.
type Severity uint8

// The levels of the incident key, and Unknown, which is not in the key.
const (
	Unknown  Severity = iota
	None              // 0: running, or down as scheduled
	Critical          // 1: down when it should be up
	Moderate          // 2: up when it should be down, or up with its configuration missing
	Low               // 3: running with errors or performing poorly
)

var severityWord = [...]string{"unknown", "None", "Critical", "Moderate", "Low"}

// Level returns the Severity with a number of the incident key. It returns an error unless n is
// from 0 to 3.
func Level(n int) (Severity, error) {
	if n < 0 || n > 3 {
		return Unknown, fmt.Errorf("severity %d: the incident key goes from 0 to 3", n)
	}
	return Severity(n + 1), nil
}

// Number returns the number of s in the incident key, from 0 to 3. The second result is false for
// Unknown.
func (s Severity) Number() (int, bool) {
	if s == Unknown || int(s) >= len(severityWord) {
		return 0, false
	}
	return int(s) - 1, true
}

// String returns a text like "Sev 1 · Critical", or "unknown".
func (s Severity) String() string {
	n, ok := s.Number()
	if !ok {
		return severityWord[Unknown]
	}
	return fmt.Sprintf("Sev %d · %s", n, severityWord[s])
}

// Minor reports whether s is level 2 or 3. A disruptive run of a minor level needs no approval. A
// destructive run always needs one. Unknown is not minor.
func (s Severity) Minor() bool { return s == Moderate || s == Low }

// Worse reports whether s is more severe than t. The order from worst to best is 1, 2, Unknown, 3,
// 0.
func (s Severity) Worse(t Severity) bool { return s.rank() > t.rank() }

func (s Severity) rank() int {
	switch s {
	case Critical:
		return 4
	case Moderate:
		return 3
	case Low:
		return 1
	case None:
		return 0
	default:
		return 2
	}
}

// MarshalJSON writes 0 to 3, or null for Unknown.
func (s Severity) MarshalJSON() ([]byte, error) {
	if n, ok := s.Number(); ok {
		return json.Marshal(n)
	}
	return []byte("null"), nil
}

// UnmarshalJSON reads the output of MarshalJSON.
func (s *Severity) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*s = Unknown
		return nil
	}
	var n int
	if err := json.Unmarshal(b, &n); err != nil {
		return fmt.Errorf("severity %s: want 0 to 3 or null", b)
	}
	v, err := Level(n)
	*s = v
	return err
}
