package remote

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// Command is one line for a host's shell, already quoted and wrapped.
type Command struct {
	Host    string // the host's name in the fleet, to show to people
	Address string // host:port
	Login   string
	Via     string // the jump hosts, "login@host:port,…"; "" is a direct connection
	Sent    string // the exact bytes of the SSH exec request
	// Timeout is the time limit of the command on the host. The wrapper in Sent enforces it on the
	// host; a little later the transport stops waiting.
	Timeout time.Duration
	// Changes means that the command may change something. If the end of such a command is not
	// observed, its outcome is FateUnknown and never TimedOut.
	Changes bool
}

// Outcome is the outcome of a command, before its output is interpreted.
type Outcome uint8

// The closed set of outcomes. Only Answered has a valid exit code. The zero value is no outcome
// and never a success.
const (
	NoOutcome        Outcome = iota
	Answered                 // the command ended on its own; Exit has its exit code
	SudoRefused              // sudo refused the command: nothing happened
	SupervisorSilent         // monit's or systemd's client could not reach its daemon
	Unreachable              // no connection, or lost during a read
	HostKeyWrong             // the host key is unknown, or differs from the known one
	LoginRefused             // the host accepted no key
	TimedOut                 // a read did not end in time
	FateUnknown              // sent, may have acted, and its end was not observed
)

var outcomeText = map[Outcome]string{
	NoOutcome:        "not asked",
	Answered:         "answered",
	SudoRefused:      "refused by sudo",
	SupervisorSilent: "supervisor did not answer",
	Unreachable:      "could not connect",
	HostKeyWrong:     "host key wrong or unknown",
	LoginRefused:     "login refused",
	TimedOut:         "timed out",
	FateUnknown:      "fate unknown",
}

// String returns the outcome in words for people.
func (o Outcome) String() string {
	if s, ok := outcomeText[o]; ok {
		return s
	}
	return fmt.Sprintf("outcome(%d)", uint8(o))
}

// MarshalText returns the same words as String.
func (o Outcome) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// UnmarshalText decodes the output of MarshalText; other text is an error.
func (o *Outcome) UnmarshalText(b []byte) error {
	for k, v := range outcomeText {
		if v == string(b) {
			*o = k
			return nil
		}
	}
	return fmt.Errorf("remote: unknown outcome %q", b)
}

// Output is the beginning and the end of one output stream of a command.
type Output struct {
	Head  []byte
	Tail  []byte // the bytes after Head; only the last of them if Truncated
	Total int64  // bytes that the command wrote
}

// Truncated reports whether bytes between Head and Tail were dropped.
func (o Output) Truncated() bool { return o.Total > int64(len(o.Head)+len(o.Tail)) }

// String joins Head and Tail; a line between them has the number of dropped bytes.
func (o Output) String() string {
	if len(o.Tail) == 0 && !o.Truncated() {
		return string(o.Head)
	}
	var b strings.Builder
	b.Write(o.Head)
	if o.Truncated() {
		fmt.Fprintf(&b, "\n… %d bytes left out …\n", o.Total-int64(len(o.Head)+len(o.Tail)))
	}
	b.Write(o.Tail)
	return b.String()
}

// Bytes is String as bytes.
func (o Output) Bytes() []byte { return []byte(o.String()) }

// Result is the result of one command.
type Result struct {
	Outcome Outcome
	Exit    int    // valid when Outcome is Answered
	Signal  string // the signal that ended the command, if the host reported one
	Stdout  Output
	Stderr  Output
	Noise   string // output of the login shell before the answer, not part of Stdout
	Detail  string // one plain sentence for people; "" when Outcome is Answered
	Started time.Time
	Ended   time.Time
}

// OK reports whether the command answered with exit code 0.
func (r Result) OK() bool { return r.Outcome == Answered && r.Exit == 0 }

// Runner runs one command on one host. It returns only with a final result, honours ctx, and
// never sends a command twice.
type Runner interface {
	Run(ctx context.Context, c Command) Result
}
