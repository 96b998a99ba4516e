package call

import (
	"errors"
	"fmt"
	"time"

	"dhbot/internal/command"
	"dhbot/internal/refusal"
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
		rest    *runbooks.ContinueError
		look    *LookError
	)
	return errors.As(err, &offered) || errors.As(err, &placed) || errors.As(err, &param) || errors.As(err, &rest) || errors.As(err, &look)
}

// Codes of the refusals by package handlers and by the packages below it.
const (
	NoPlan        refusal.Code = "no plan"        // no plan can be made from these names or parameters
	BadArgument   refusal.Code = "bad argument"   // an argument is missing, or not possible
	NotFound      refusal.Code = "not found"      // the named thing does not exist, or the person may not read it
	NotNow        refusal.Code = "not now"        // not possible in the current state of the target
	AlreadyThere  refusal.Code = "already there"  // the result of the command exists already, or is in progress
	Changed       refusal.Code = "changed"        // another person, or the bot, made a change at the same time
	TooMany       refusal.Code = "too many"       // a limit is reached
	WrongPlace    refusal.Code = "wrong place"    // not possible in this channel
	NotYours      refusal.Code = "not yours"      // only the requester may do this
	OldButton     refusal.Code = "old button"     // the button is from another version, or its target is gone
	OldProposal   refusal.Code = "old proposal"   // the proposal was shown too long ago
	NeedsApprover refusal.Code = "needs approver" // an approver has to do this
	NotUp         refusal.Code = "not up"         // a dependency is down
	StoreDown     refusal.Code = "store down"     // nothing may happen without a record
	LeaseLost     refusal.Code = "lease lost"     // another replica may have resumed the message
	OldReplica    refusal.Code = "old replica"    // a newer version of the bot stored the run
	OtherConfig   refusal.Code = "other config"   // the replicas have different configs
	NoHealth      refusal.Code = "no health"      // this bot has no health to show
	NotInTime     refusal.Code = "not in time"    // handling took too long, or Slack did not answer
	Internal      refusal.Code = "internal error" // the log has the details
)

// TooLong is the cancellation cause of a handler's context when the handler took too long.
type TooLong struct{ After time.Duration }

func (e *TooLong) Error() string { return "handling took longer than " + e.After.String() }

// WindowError means that a form did not open: Slack opens a form only within 3 s of the
// tap.
type WindowError struct {
	Typed string // the equivalent command
	Err   error
}

func (e *WindowError) Error() string { return "the window did not open: " + e.Err.Error() }

func (e *WindowError) Unwrap() error { return e.Err }

// Late is a command, or a tap, that arrived too late to be executed without a confirmation.
type Late struct {
	Age     time.Duration
	Request *command.Fields // repeats the command; nil for a tap, since its button still works
}

func (e *Late) Error() string { return "this reached the bot " + e.Age.String() + " late" }
