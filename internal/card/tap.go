package card

import (
	"dhbot/internal/command"
)

// MostTaps is the maximum number of buttons under a question.
const MostTaps = 5

// CommandTap is a button that sends a command.
func CommandTap(label string, f command.Fields) Button {
	return Button{Action: TapCommand, Label: label, Value: f.Encode()}
}

// These are the names of the taps. A button's value is "R-XXXX DIGEST" for most taps, a command's
// encoded Fields for TapCommand, and the proposal that the requester saw for TapRun.
const (
	TapApprove  = "approve"  // the button
	TapApproved = "approved" // the form that a destructive approval opens
	TapDeny     = "deny"
	TapDenied   = "denied"
	TapCancel   = "cancel"
	TapDone     = "done"
	TapLooking  = "looking"
	TapDetails  = "details"
	TapAsk      = "ask" // a shortcut of the platform, and its window
	TapCommand  = "command"
	TapNoted    = "noted" // the form for a note about an incident; its value is the incident's id
	TapRun      = "run"   // the requester confirms the shown plan
)
