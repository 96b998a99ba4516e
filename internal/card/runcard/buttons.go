package runcard

import (
	"fmt"
	"slices"
	"strings"

	"dhbot/internal/card"
	"dhbot/internal/command"
	"dhbot/internal/engine"
	"dhbot/internal/observe/proof"
	"dhbot/runbooks"
)

func runValue(r engine.Run) string { return r.ID + " " + r.Plan.Digest }

func voteButtons(r engine.Run) []card.Button {
	value := runValue(r)
	approve := card.Button{Action: card.TapApprove, Label: "Approve", Value: value, Style: card.Primary}
	if r.Plan.NameTyped() {
		approve.Label = "Approve…" // opens a form
	} else {
		approve.Confirm = approveConfirm(r)
	}
	return []card.Button{
		approve,
		{Action: card.TapDeny, Label: "Deny…", Value: value, Style: card.Danger},
		{Action: card.TapDetails, Label: "Details", Value: value}, // the window of the details has the other actions
	}
}

func expiredButtons(r engine.Run) []card.Button {
	return []card.Button{askAgain(r), card.CommandTap("I did it by hand", command.Fields{Verb: "byhand", Run: r.ID})}
}

func cancelButton(r engine.Run) card.Button {
	return card.Button{Action: card.TapCancel, Label: "Cancel", Value: runValue(r), Confirm: &card.Confirm{
		Title: "Cancel " + r.ID + "?", Text: fmt.Sprintf("Only %s, who asked, can cancel it before it starts.", r.Asked.Person), Yes: "Cancel it", No: "Back"}}
}

// approveConfirm asks for confirmation of an approval. The question names the target first, so that
// no one approves the wrong target out of habit.
func approveConfirm(r engine.Run) *card.Confirm {
	text := fmt.Sprintf("%s · %s", r.ID, r.Plan.Severity)
	if r.Plan.Impact != "" {
		text += ". " + r.Plan.Impact
	}
	if len(r.Beside) > 0 {
		text += " Not part of this run: " + strings.Join(r.Beside, ", ") + "."
	}
	return &card.Confirm{Title: card.UpperFirst(RunTitle(r)) + "?", Text: text, Yes: "Approve", No: "Back"}
}

func runButtons(r engine.Run) []card.Button {
	stop := card.Button{Action: card.TapCancel, Label: "Stop…", Value: runValue(r), Style: card.Danger, Confirm: &card.Confirm{
		Title: "Stop " + r.ID + "?", Text: "The current step runs to its end; no later step is started.", Yes: "Stop", No: "Back"}}
	switch r.State {
	case engine.Approved, engine.Queued:
		return []card.Button{cancelButton(r)}
	case engine.Running:
		if r.Abort != nil {
			return nil
		}
		return []card.Button{stop}
	case engine.Paused:
		return []card.Button{{Action: card.TapDone, Label: "Done", Value: runValue(r), Style: card.Primary}, stop}
	case engine.Closed:
		return continueButton(r)
	case engine.Failed, engine.Partly, engine.Unknown:
		return append(continueButton(r), lookButtons(r)...)
	default:
		return nil
	}
}

// continueButton returns the button that requests the remaining steps of an unfinished run, if
// steps remain.
func continueButton(r engine.Run) []card.Button {
	in, ok := r.Continuation()
	if !ok {
		return nil
	}
	from := in.Continue[len(in.Continue)-1].From
	return []card.Button{card.CommandTap(fmt.Sprintf("Continue from step %d", from), command.Fields{Verb: "continue", Run: r.ID})}
}

// lookButtons returns buttons for the target of a run that did not succeed. One of them shows the
// state of the target. Others start it, give it up or show a thread dump, where this may help. The
// result is nil if the run has no such target.
func lookButtons(r engine.Run) []card.Button {
	at, ok := troubled(r)
	if !ok {
		return nil
	}
	look := card.CommandTap("Status now", command.On("status", at.Process, at.Host, r.Plan.Cluster))
	switch {
	case unwatched(r, at):
		return []card.Button{card.ChangeTap("start", at, r.Plan.Cluster, r.Plan.Impact), look}
	case inVain(r) >= 0:
		return lateButtons(r, inVain(r))
	default:
		return []card.Button{look}
	}
}

// inVain returns the index of the step that waited in vain for the effect of a change to a process,
// or -1.
func inVain(r engine.Run) int {
	changed := map[runbooks.Target]bool{}
	for i := range steps(r) {
		p, st := r.Plan.Steps[i], r.Steps[i].State
		at := runbooks.Target{Process: p.Process, Host: p.Host}
		if (st == engine.StepFailed || st == engine.StepUnknown) && p.Until.AboutProcess() && changed[at] {
			return i
		}
		changed[at] = changed[at] || p.Kind == runbooks.Exec
	}
	return -1
}

// unready returns the index of the first step that timed out waiting for a process to become ready,
// or -1. The run still succeeded, because the process is up.
func unready(r engine.Run) int {
	for i := range steps(r) {
		if r.NotReady(i) {
			return i
		}
	}
	return -1
}

// unreadyButtons returns buttons for a successful run whose process is up, but not ready yet. For
// any other run it returns nil.
func unreadyButtons(r engine.Run) []card.Button {
	if i := unready(r); i >= 0 {
		return lateButtons(r, i)
	}
	return nil
}

// lateButtons returns buttons for a process that did not get ready, start or stop before the step
// timed out.
func lateButtons(r engine.Run, step int) []card.Button {
	at := runbooks.Target{Process: r.Plan.Steps[step].Process, Host: r.Plan.Steps[step].Host}
	out := []card.Button{card.CommandTap("Look again", command.On("status", at.Process, at.Host, r.Plan.Cluster))}
	if slices.ContainsFunc(r.Steps, func(st engine.Step) bool { return keptDump(st.Kept) }) {
		out = append(out, card.Button{Action: card.TapDetails, Label: "Thread dump", Value: runValue(r)})
	}
	late := r.Steps[step]
	if r.State == engine.Unknown || r.Plan.Action == "stop" || late.NewPID != 0 && late.NewPID == late.OldPID {
		// No button "Give up" in these cases: to close an unknown run a person must type a text, a
		// failed stop is not repeated, and a process that still serves is left alone.
		return out
	}
	giveUp := card.ChangeTap("stop", at, r.Plan.Cluster, r.Plan.Impact)
	giveUp.Label = "Give up and stop…"
	giveUp.Confirm.Title = "Give up and stop " + at.String() + " · " + r.Plan.Cluster + "?"
	giveUp.Confirm.Text = "The supervisor then stops trying to start the process. While the process is down: " + r.Plan.Impact
	return append(out, giveUp)
}

// keptDump reports whether a step's evidence includes a thread dump.
func keptDump(kept []string) bool {
	return slices.ContainsFunc(kept, func(l string) bool { return strings.HasPrefix(l, "thread dump") })
}

// unwatched reports whether a run changed nothing because monit does not monitor the process. A
// restart by monit would only resume the monitoring.
func unwatched(r engine.Run, at runbooks.Target) bool {
	for i := range steps(r) {
		p := r.Plan.Steps[i]
		if p.Until == runbooks.Supervised && p.Process == at.Process && p.Host == at.Host && r.Steps[i].State == engine.StepFailed {
			return proof.Unwatched(r.Steps[i].Seen)
		}
	}
	return false
}

// troubled returns the process at which a run stopped, or else the run's first process.
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

// TypeName returns the form in which an approver types the target's name.
func TypeName(r engine.Run) card.Form {
	return card.Form{
		Action: card.TapApproved, Value: runValue(r), Title: "Approve " + r.ID,
		Body:   append([]card.Element{card.Text{Lines: []card.Line{runHead(r)}}}, waitingBody(r, false)...),
		Inputs: []card.Input{{Name: "text", Label: "Type the target's name", Hint: Target(r)}},
		Submit: "Approve", Typed: "approve " + r.ID + " " + Target(r),
	}
}

// WhyDeny returns the form that asks for the reason of a denial.
func WhyDeny(r engine.Run) card.Form {
	return card.Form{
		Action: card.TapDenied, Value: runValue(r), Title: "Deny " + r.ID,
		Body:   card.Paragraphs([]card.Line{{card.B(card.UpperFirst(RunTitle(r)))}}, askedLines(r)),
		Inputs: []card.Input{{Name: "text", Label: "Why?", Hint: "The reason is shown in the channel and recorded.", Multiline: true}},
		Submit: "Deny", Typed: "deny " + r.ID + " REASON",
	}
}

// Again asks for confirmation before the bot repeats a command that just succeeded.
func Again(r engine.Run, again command.Fields) card.Card {
	c := WithNote(Run(r), fmt.Sprintf("%s has already done this. Run it again?", r.ID))
	c.Buttons = []card.Button{{Action: card.TapCommand, Label: "Again…", Value: again.Encode(), Style: card.Danger,
		Confirm: &card.Confirm{
			Title: card.UpperFirst(RunTitle(r)) + ", again?",
			Text:  r.ID + " already did this.",
			Yes:   "Again",
			No:    "Back",
		}}}
	return c
}
