// Package refusal has the error with which the bot refuses a request of a person or an
// event. The package that refuses declares the codes of its refusals. Package handlers
// shows them.
package refusal

import (
	"errors"
	"fmt"
)

// Code is the reason of a refusal, for programs. The text may change; the code does not.
type Code string

// Error is a refusal. Nothing was done.
type Error struct {
	Code Code
	Text string // for the person refused: full sentences, with what to do next
	// Recorded means that the refusal is written to the audit trail, like every refusal by the
	// access rules.
	Recorded bool
	// Cluster is the cluster whose roles refused the request, "" for none.
	Cluster string
}

func (e *Error) Error() string { return e.Text }

// New returns a refusal that is not recorded.
func New(code Code, format string, args ...any) error {
	return &Error{Code: code, Text: fmt.Sprintf(format, args...)}
}

// Is reports whether an error is a refusal with the given code.
func Is(err error, code Code) bool {
	var no *Error
	return errors.As(err, &no) && no.Code == code
}
