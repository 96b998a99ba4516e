package call

import (
	"errors"
	"fmt"
	"time"

	"dhbot/internal/command"
	"dhbot/runbooks"
)

// LookError is the reason why a discovery read returned no list, for display.
type LookError struct{ Why string }

func (e *LookError) Error() string { return e.Why }

func cannotLook(format string, args ...any) error {
	return &LookError{fmt.Sprintf(format, args...)}
}

// IsPlanError reports whether no plan could be made: the planner refused names or
// parameters, or discovery failed. The texts of these errors are for display.
func IsPlanError(err error) bool {
	var (
		offered *runbooks.NotOfferedError
		placed  *runbooks.PlacementError
		param   *runbooks.ParamError
		look    *LookError
	)
	return errors.As(err, &offered) || errors.As(err, &placed) || errors.As(err, &param) || errors.As(err, &look)
}

// Refused is the refusal of a request, for the requester.
type Refused struct{ Text string }

func (e *Refused) Error() string { return e.Text }

// Refuse makes a Refused.
func Refuse(format string, args ...any) error { return &Refused{Text: fmt.Sprintf(format, args...)} }

// WindowError means that a form did not open: Slack allows this only within 3 s of the tap.
type WindowError struct {
	Typed string // the equivalent command
	Err   error
}

func (e *WindowError) Error() string { return "the window did not open: " + e.Err.Error() }

func (e *WindowError) Unwrap() error { return e.Err }

// Late is a command, or a tap, that arrived too late to be executed without a question.
type Late struct {
	Age     time.Duration
	Request *command.Fields // to repeat it; nil for a tap, whose button still works
}

func (e *Late) Error() string { return "this reached the bot " + e.Age.String() + " late" }
