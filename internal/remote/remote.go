// Package remote is the vocabulary of one command on one host: what is sent,
// and the closed set of what can come of it. It holds no transport; sshexec
// produces its results, probe reads them, the engine decides by them.
package remote

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// Command is one line for a host's shell, already quoted and wrapped.
type Command struct {
	Host    string // the fleet's name, for messages
	Address string // host:port
	Login   string
	Via     string // the jump hosts before it, "login@host:port,…"; "" is a direct connection
	Sent    string // the exact bytes of the SSH exec request
	// Timeout is how long the remote side lets the command run; the wrapper
	// in Sent enforces it there, the transport a little later here.
	Timeout time.Duration
	// Changes says that the command may alter something, so that losing
	// sight of it is FateUnknown and never a plain time-out.
	Changes bool
}

// Outcome is what came of a command, before anybody reads its output.
type Outcome uint8

// The closed set of outcomes. Only Answered carries a meaningful exit code.
// The zero value is no outcome at all and is never a success.
const (
	NoOutcome        Outcome = iota
	Answered                 // it ran to its end; Exit holds its code
	SudoRefused              // sudo would not run it: nothing happened
	SupervisorSilent         // monit's or systemd's client could not ask its daemon
	Unreachable              // no connection, or lost while only reading
	HostKeyWrong             // the host key is unknown or not the known one
	LoginRefused             // no key of ours was accepted
	TimedOut                 // a read did not end in time
	FateUnknown              // sent, may have acted, and its end was not seen
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

// String is the outcome in the words people read.
func (o Outcome) String() string {
	if s, ok := outcomeText[o]; ok {
		return s
	}
	return fmt.Sprintf("outcome(%d)", uint8(o))
}

// MarshalText writes the outcome as its words.
func (o Outcome) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// UnmarshalText reads what MarshalText wrote; other text is an error.
func (o *Outcome) UnmarshalText(b []byte) error {
	for k, v := range outcomeText {
		if v == string(b) {
			*o = k
			return nil
		}
	}
	return fmt.Errorf("remote: unknown outcome %q", b)
}

// Output is a bounded part of what a command wrote: its beginning and its end.
type Output struct {
	Head  []byte
	Tail  []byte // what followed Head, at most the newest part of it
	Total int64  // bytes the command wrote, kept or not
}

// Truncated says that bytes between Head and Tail were dropped.
func (o Output) Truncated() bool { return o.Total > int64(len(o.Head)+len(o.Tail)) }

// String joins what was kept; where bytes were dropped a line says how many.
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

// Result is what came of one command.
type Result struct {
	Outcome Outcome
	Exit    int    // valid when Outcome is Answered
	Signal  string // the signal that ended it, where the host said so
	Stdout  Output
	Stderr  Output
	Noise   string // what the login shell printed before the answer, no part of Stdout
	Detail  string // one plain sentence for people when not Answered
	Started time.Time
	Ended   time.Time
}

// OK says that the command answered with exit code 0.
func (r Result) OK() bool { return r.Outcome == Answered && r.Exit == 0 }

// Runner runs one command on one host. It never returns before the result is
// settled, it honours ctx, and it never sends a command twice.
type Runner interface {
	Run(ctx context.Context, c Command) Result
}
