package card

import (
	"fmt"
	"strings"

	"dhbot/internal/engine"
	"dhbot/runbooks"
)

// The taps that cards offer. A button's value is "R-XXXX DIGEST", or for
// TapCommand a whole command of the table with validated names.
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
)

func runValue(r engine.Run) string { return r.ID + " " + r.Plan.Digest }

func voteButtons(r engine.Run) []Button {
	value := runValue(r)
	approve := Button{Action: TapApprove, Label: "Approve", Value: value, Style: Primary}
	if r.Plan.Class == runbooks.Destructive {
		approve.Label = "Approve…" // opens a form
	} else {
		approve.Confirm = approveConfirm(r)
	}
	return []Button{
		approve,
		{Action: TapDeny, Label: "Deny…", Value: value, Style: Danger},
		{Action: TapLooking, Label: "👀 I'm looking", Value: value},
		{Action: TapDetails, Label: "Details", Value: value},
		cancelButton(r),
	}
}

func cancelButton(r engine.Run) Button {
	return Button{Action: TapCancel, Label: "Cancel", Value: runValue(r), Confirm: &Confirm{
		Title: "Cancel " + r.ID + "?", Text: fmt.Sprintf("Only %s, who asked, can cancel it before it starts.", r.Asked.Person), Yes: "Cancel it", No: "Back"}}
}

// approveConfirm names the target first: approving the wrong one by habit is
// what the question is there to stop.
func approveConfirm(r engine.Run) *Confirm {
	text := fmt.Sprintf("%s · %s", r.ID, r.Plan.Severity)
	if r.Plan.Impact != "" {
		text += ". " + r.Plan.Impact
	}
	if len(r.Beside) > 0 {
		text += " Not touched: " + strings.Join(r.Beside, ", ") + "."
	}
	return &Confirm{Title: upperFirst(runTitle(r)) + "?", Text: text, Yes: "Approve", No: "Back"}
}

func runButtons(r engine.Run) []Button {
	stop := Button{Action: TapCancel, Label: "Stop…", Value: runValue(r), Style: Danger, Confirm: &Confirm{
		Title: "Stop " + r.ID + "?", Text: "The step under way still ends; the rest is not done.", Yes: "Stop", No: "Back"}}
	switch r.State {
	case engine.Approved, engine.Queued:
		return []Button{cancelButton(r)}
	case engine.Running:
		if r.Abort != nil {
			return nil
		}
		return []Button{stop}
	case engine.Paused:
		return []Button{{Action: TapDone, Label: "Done", Value: runValue(r), Style: Primary}, stop}
	case engine.Failed, engine.Partly, engine.Unknown:
		return lookButtons(r)
	default:
		return nil
	}
}

// lookButtons ask how the target is now, where a run did not end well.
func lookButtons(r engine.Run) []Button {
	at, ok := troubled(r)
	if !ok {
		return nil
	}
	return []Button{{Action: TapCommand, Label: "Status now", Value: fmt.Sprintf("status %s on %s in %s", at.Process, at.Host, r.Plan.Cluster)}}
}

// troubled is the process at which a run stopped, or its first.
func troubled(r engine.Run) (runbooks.Target, bool) {
	for i := range steps(r) {
		st, p := r.Steps[i].State, r.Plan.Steps[i]
		if (st == engine.StepFailed || st == engine.StepUnknown) && p.Process != "" {
			return runbooks.Target{Process: p.Process, Host: p.Host}, true
		}
	}
	for _, t := range r.Plan.Targets {
		if t.Process != "" && t.Host != "" {
			return t, true
		}
	}
	return runbooks.Target{}, false
}

// TypeName is the form in which an approver types the target's name.
func TypeName(r engine.Run) Form {
	return Form{
		Action: TapApproved, Value: runValue(r), Title: "Approve " + r.ID,
		Body:   append([]Element{Text{Lines: []Line{runHead(r)}}}, waitingBody(r, false)...),
		Inputs: []Input{{Name: "text", Label: "Type the target's name", Hint: Target(r)}},
		Submit: "Approve",
	}
}

// WhyDeny is the form that asks for a reason.
func WhyDeny(r engine.Run) Form {
	return Form{
		Action: TapDenied, Value: runValue(r), Title: "Deny " + r.ID,
		Body:   paragraphs([]Line{{B(upperFirst(runTitle(r)))}}, askedLines(r)),
		Inputs: []Input{{Name: "text", Label: "Why?", Hint: "It is shown in the channel and recorded.", Multiline: true}},
		Submit: "Deny",
	}
}

// Suggestion is a command to tap. Command means the same in any channel and
// holds validated names only.
type Suggestion struct {
	Label, Command string
	Changes        bool
}

// Tappable adds the first few suggestions to a card as buttons; what changes
// something is asked once more.
func Tappable(c Card, list []Suggestion) Card {
	const most = 3
	for _, s := range list[:min(most, len(list))] {
		b := Button{Action: TapCommand, Label: s.Label, Value: s.Command}
		if s.Changes {
			b.Label += "…"
			b.Confirm = &Confirm{Title: upperFirst(s.Label) + "?", Text: "As a command: " + s.Command + ". No reason is given with it.", Yes: "Ask for it", No: "Back"}
		}
		c.Buttons = append(c.Buttons, b)
	}
	return c
}

// Again asks back before a command that ended well a moment ago is repeated.
func Again(r engine.Run, command string) Card {
	c := WithNote(Run(r), fmt.Sprintf("%s did this already, and it ended well. Do it again?", r.ID))
	c.Buttons = []Button{{Action: TapCommand, Label: "Again…", Value: command, Style: Danger,
		Confirm: &Confirm{Title: upperFirst(runTitle(r)) + ", again?", Text: r.ID + " did it already.", Yes: "Again", No: "Back"}}}
	return c
}
