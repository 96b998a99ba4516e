package card

import (
	"dhbot/internal/command"
)

// MostTaps is how many choices of a question can be tapped.
const MostTaps = 5

// CommandTap is a button that stands for a command.
func CommandTap(label string, f command.Fields) Button {
	return Button{Action: TapCommand, Label: label, Value: f.Encode()}
}

// The taps that cards offer. A button's value is "R-XXXX DIGEST", for TapCommand
// a command's encoded Fields, and for TapRun what the requester was shown.
const (
	TapApprove  = "approve"  // the button
	TapApproved = "approved" // the form that a destructive approval opens
	TapDeny     = "deny"
	TapDenied   = "denied"
	TapCancel   = "cancel"
	TapDone     = "done"
	TapLooking  = "looking"
	TapDetails  = "details"
	TapAsk      = "ask" // a shortcut of the platform, and the window that it opens
	TapCommand  = "command"
	TapNoted    = "noted" // the form for a note about an incident; its value is the incident's id
	TapRun      = "run"   // the requester has seen what would run
)
