package card

import (
	"fmt"
	"strings"
	"time"

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
	TapCommand  = "command"
)

// Target is the name that stands for a run: what approvers type.
func Target(r engine.Run) string {
	if r.Inputs.Process != "" {
		return r.Inputs.Process
	}
	if len(r.Inputs.Hosts) == 1 {
		return r.Inputs.Hosts[0]
	}
	return r.Inputs.Cluster
}

// Run is the one message of a run, from request to outcome.
func Run(r engine.Run) Card {
	c := Card{Head: runHead(r), Push: runPush(r)}
	switch r.State {
	case engine.Waiting:
		c.Body = append(c.Body, planElement(r), Text{Lines: []Line{impactLine(r)}}, Text{Lines: askedLines(r)})
		c.Buttons = voteButtons(r)
	case engine.Denied, engine.Expired, engine.Refused, engine.Cancelled:
		c.Body = append(c.Body, Text{Lines: append(whyLines(r), askedLines(r)...)})
	default:
		c.Body = append(c.Body, Text{Lines: stepLines(r)})
		if why := whyLines(r); len(why) > 0 {
			c.Body = append(c.Body, Text{Lines: why})
		}
		c.Buttons = runButtons(r)
	}
	c.Foot = append(c.Foot, historyLine(r))
	return c
}

// WithNote puts a line above a card, e.g. to say why it is shown.
func WithNote(c Card, note string) Card {
	c.Body = append([]Element{Text{Lines: []Line{{T(note)}}}}, c.Body...)
	c.Push = note
	c.Buttons = nil
	return c
}

func runHead(r engine.Run) Line {
	sign, what := headline1(r)
	l := Line{T(sign + " "), B(what), T(" · " + r.ID + " · " + runTitle(r) + " · " + r.Plan.Severity.String())}
	if r.State == engine.Waiting {
		l = append(l, T(" · expires "), At(r.VoteBy))
	}
	return l
}

// headline1 is the sign and the words of a state.
func headline1(r engine.Run) (sign, what string) {
	switch r.State {
	case engine.Waiting:
		if n := r.Need - len(r.Votes); n < r.Need {
			return "⏳", fmt.Sprintf("Approval needed (%d more)", n)
		}
		return "⏳", "Approval needed"
	case engine.Approved:
		return "⏳", "About to start"
	case engine.Queued:
		return "⏳", "Queued behind " + r.Behind
	case engine.Running:
		return "▶️", "Running"
	case engine.Paused:
		return "✋", "Waiting for a person"
	case engine.Done:
		return "✅", "Done" + took(r)
	case engine.Failed:
		return "❌", "Failed"
	case engine.Partly:
		return "❌", "Partly done"
	case engine.Denied:
		return "🚫", "Denied"
	case engine.Expired:
		return "⌛", "Expired"
	case engine.Refused:
		return "🚫", "Refused"
	case engine.Cancelled:
		return "🚫", "Cancelled"
	case engine.Unknown:
		return "❓", "Outcome unknown"
	case engine.Closed:
		return "☑️", "Closed by a person"
	default:
		return "❓", string(r.State)
	}
}

func took(r engine.Run) string {
	if r.StartedAt == nil || r.EndedAt == nil {
		return ""
	}
	return " in " + span(r.EndedAt.Sub(*r.StartedAt))
}

// span is a duration as people say it.
func span(d time.Duration) string {
	switch {
	case d < time.Second:
		return "under 1 s"
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", int(d.Round(time.Second).Seconds()))
	default:
		return fmt.Sprintf("%d min", int(d.Round(time.Minute).Minutes()))
	}
}

func runPush(r engine.Run) string {
	sign, what := headline1(r)
	text := fmt.Sprintf("%s %s: %s %s (%s), asked by %s", sign, what, r.ID, runTitle(r), r.Plan.Severity, r.Asked.Person)
	for _, w := range outcomeTexts(r) {
		text += " · " + w
	}
	return text
}

// outcomeTexts are what the last steps that matter found.
func outcomeTexts(r engine.Run) []string {
	var out []string
	for i, st := range r.Steps {
		if st.Text == "" || i >= len(r.Plan.Steps) {
			continue
		}
		bad := st.State == engine.StepFailed || st.State == engine.StepUnknown || st.State == engine.StepNoted
		if bad || st.State == engine.StepDone && r.Plan.Steps[i].Until == runbooks.Restarted {
			out = append(out, st.Text)
		}
	}
	return unique(out)
}

// runTitle is "restart db_dis on infra-1 (prod)".
func runTitle(r engine.Run) string {
	var hosts []string
	for _, t := range r.Plan.Targets {
		hosts = append(hosts, t.Host)
	}
	where := strings.Join(unique(hosts), ", ")
	return fmt.Sprintf("%s on %s · %s", r.Plan.Title, where, r.Plan.Cluster)
}

// planElement shows what will run, exactly.
func planElement(r engine.Run) Element {
	lines := []Line{{B("What will run"), T(" (plan " + shortDigest(r.Plan.Digest) + ")")}}
	n := 0
	for _, st := range r.Plan.Steps {
		switch st.Kind {
		case runbooks.Exec:
			n++
			l := Line{T(fmt.Sprintf("%d  on %s as %s: ", n, st.Host, st.Login)), C(st.Command)}
			lines = append(lines, l)
		case runbooks.Wait:
			if st.Until == runbooks.Answers || st.Until == runbooks.Supervised || st.Until == runbooks.Ready {
				continue
			}
			n++
			lines = append(lines, Line{T(fmt.Sprintf("%d  wait until %s (at most %s)", n, st.Until, span(st.Within.D())))})
		case runbooks.Manual:
			n++
			lines = append(lines, Line{T(fmt.Sprintf("%d  a person: %s", n, st.Title))})
		}
	}
	return Text{Lines: lines}
}

func impactLine(r engine.Run) Line {
	return Line{B("Impact while it lasts: "), T(r.Plan.Impact)}
}

func askedLines(r engine.Run) []Line {
	l := Line{T("Asked by "), P(r.Asked.Person, r.Asked.Account)}
	if r.Reason != "" {
		l = append(l, T(": “"+r.Reason+"”"))
	} else {
		l = append(l, T(" · no reason given"))
	}
	lines := []Line{l}
	for _, v := range r.Votes {
		lines = append(lines, Line{T("Approved by "), P(v.Person, v.Account), T(" at "), At(v.At)})
	}
	return lines
}

func whyLines(r engine.Run) []Line {
	var lines []Line
	switch {
	case r.DenyBy != nil:
		lines = append(lines, Line{T("Denied by "), P(r.DenyBy.Person, r.DenyBy.Account), T(": “" + r.Why + "”")})
	case r.EndedBy != nil:
		l := Line{T("By "), P(r.EndedBy.Person, r.EndedBy.Account)}
		if r.Why != "" {
			l = append(l, T(": “"+r.Why+"”"))
		}
		lines = append(lines, l)
	case r.Why != "":
		lines = append(lines, Line{T(r.Why)})
	}
	return lines
}

// stepLines show each step and its result as it happens; a step that only
// looked and found nothing to say stays out.
func stepLines(r engine.Run) []Line {
	lines := []Line{}
	for i, st := range r.Steps {
		if i >= len(r.Plan.Steps) {
			break
		}
		p := r.Plan.Steps[i]
		lines = append(lines, stepLine(p, st))
	}
	return lines
}

func stepLine(p runbooks.Step, st engine.Step) Line {
	sign := map[engine.StepState]string{
		engine.StepPending: "·", engine.StepStarted: "▶️", engine.StepDone: "✅", engine.StepNoted: "☑️",
		engine.StepFailed: "❌", engine.StepUnknown: "❓", engine.StepSkipped: "–",
	}[st.State]
	l := Line{T(sign + " " + p.Host + ": ")}
	switch p.Kind {
	case runbooks.Exec:
		l = append(l, C(p.Command))
	case runbooks.Wait:
		l = append(l, T(p.Title))
	default:
		l = append(l, T(p.Title))
	}
	switch {
	case st.State == engine.StepSkipped:
		l = append(l, T(" — not done"))
	case st.Text != "":
		l = append(l, T(" — "+st.Text))
	case st.State == engine.StepStarted:
		l = append(l, T(" …"))
	}
	return l
}

func voteButtons(r engine.Run) []Button {
	value := r.ID + " " + r.Plan.Digest
	approve := Button{Action: TapApprove, Label: "Approve", Value: value, Style: Primary}
	if r.Plan.Class != runbooks.Destructive {
		approve.Confirm = &Confirm{
			Title: "Approve " + r.ID + "?",
			Text:  fmt.Sprintf("%s · %s. %s", runTitle(r), r.Plan.Severity, r.Plan.Impact),
			Yes:   "Approve", No: "Back",
		}
	}
	return []Button{
		approve,
		{Action: TapDeny, Label: "Deny…", Value: value, Style: Danger},
		{Action: TapCancel, Label: "Cancel", Value: value, Confirm: &Confirm{Title: "Cancel " + r.ID + "?", Text: "Only who asked can cancel it before it starts.", Yes: "Cancel it", No: "Back"}},
	}
}

func runButtons(r engine.Run) []Button {
	value := r.ID + " " + r.Plan.Digest
	stop := Button{Action: TapCancel, Label: "Stop", Value: value, Style: Danger, Confirm: &Confirm{Title: "Stop " + r.ID + "?", Text: "The step under way still ends; the rest is not done.", Yes: "Stop", No: "Back"}}
	switch r.State {
	case engine.Approved, engine.Queued, engine.Running:
		return []Button{stop}
	case engine.Paused:
		return []Button{{Action: TapDone, Label: "Done", Value: value, Style: Primary}, stop}
	default:
		return nil
	}
}

// historyLine is asked, approved, ran: who and when.
func historyLine(r engine.Run) Line {
	l := Line{T("asked "), P(r.Asked.Person, r.Asked.Account), T(" "), At(r.RequestedAt)}
	for _, v := range r.Votes {
		l = append(l, T(" · approved "), P(v.Person, v.Account), T(" "), At(v.At))
	}
	if r.StartedAt != nil {
		l = append(l, T(" · ran "), At(*r.StartedAt))
		if r.EndedAt != nil {
			l = append(l, T("–"), At(*r.EndedAt))
		}
	}
	return append(l, T(fmt.Sprintf(" · plan %s · %d records", shortDigest(r.Plan.Digest), r.Records)))
}

func shortDigest(d string) string {
	if len(d) > 6 {
		return d[:6]
	}
	return d
}

// TypeName is the form in which an approver types the target's name.
func TypeName(r engine.Run) Form {
	return Form{
		Action: TapApproved, Value: r.ID + " " + r.Plan.Digest, Title: "Approve " + r.ID,
		Body:   []Element{planElement(r), Text{Lines: []Line{impactLine(r)}}, Text{Lines: askedLines(r)}},
		Inputs: []Input{{Name: "text", Label: "Type the target's name", Hint: Target(r)}},
		Submit: "Approve",
	}
}

// WhyDeny is the form that asks for a reason.
func WhyDeny(r engine.Run) Form {
	return Form{
		Action: TapDenied, Value: r.ID + " " + r.Plan.Digest, Title: "Deny " + r.ID,
		Body:   []Element{Text{Lines: []Line{{T(runTitle(r))}}}},
		Inputs: []Input{{Name: "text", Label: "Why?", Hint: "It is shown and recorded.", Multiline: true}},
		Submit: "Deny",
	}
}

// Again asks back before a command that ended well a moment ago is repeated.
func Again(r engine.Run, command string) Card {
	c := WithNote(Run(r), fmt.Sprintf("%s did this already, and it ended well. Do it again?", r.ID))
	c.Buttons = []Button{{Action: TapCommand, Label: "Again", Value: command, Style: Danger,
		Confirm: &Confirm{Title: "Again?", Text: runTitle(r), Yes: "Again", No: "No"}}}
	return c
}
