package card

import (
	"fmt"
	"strings"
	"time"

	"dhbot/internal/command"
	"dhbot/internal/engine"
	"dhbot/runbooks"
)

// mostTaps is how many choices of a question can be tapped.
const mostTaps = 5

// commandTap is a button that stands for a command.
func commandTap(label string, f command.Fields) Button {
	return Button{Action: TapCommand, Label: label, Value: f.Encode()}
}

// Question answers what was not taken as a command: why, and what may have been
// meant, each to tap. What changes something is asked once more.
func Question(q *command.Question) Card {
	texts := make([]string, len(q.Choices))
	for i, c := range q.Choices {
		texts[i] = c.Text
	}
	out := DidYouMean(q.Text, texts)
	for _, c := range q.Choices[:min(mostTaps, len(q.Choices))] {
		if c.Fields.Run != "" && c.Changes {
			continue // what is said of a run is tapped on its own card
		}
		out.Buttons = append(out.Buttons, choiceTap(c))
	}
	return out
}

func choiceTap(c command.Choice) Button {
	b := commandTap(clip(c.Text, 70), c.Fields)
	if c.Changes {
		reason := "No reason is given with it."
		if c.Fields.Reason != "" {
			reason = "Reason: “" + c.Fields.Reason + "”."
		}
		b.Label += "…"
		b.Confirm = &Confirm{Title: clip(upperFirst(c.Text), 90) + "?", Text: reason, Yes: "Ask for it", No: "Back"}
	}
	return b
}

// LeftOut says what of a read was left out of its answer.
func LeftOut(answered string, left []string, choices []command.Choice) Card {
	text := "Answered: " + answered + ". Left out: " + strings.Join(left, ", ") + "."
	c := Card{
		Push:    text,
		Head:    Line{T("✂️ "), T("Answered: "), C(answered), T(". Left out: "), C(strings.Join(left, ", "))},
		Private: true,
	}
	for _, choice := range choices[:min(mostTaps, len(choices))] {
		if !choice.Changes {
			c.Buttons = append(c.Buttons, choiceTap(choice))
		}
	}
	return c
}

// Proposal is a change that takes no approval and waits for its requester's Run.
type Proposal struct {
	Plan     runbooks.Plan
	Title    string // where there is no plan
	Reason   string
	Unmarked bool
	Note     string
	Run      string         // the value of the Run button
	Look     command.Fields // the command that shows the plan
	Within   time.Duration
}

// Propose shows exactly what would run, and Run.
func Propose(p Proposal) Card {
	title := p.Title
	if title == "" {
		title = p.Plan.Title + " on " + and(planHosts(p.Plan)) + " · " + p.Plan.Cluster
	}
	c := Card{
		Push:    "Run " + title + "? Nothing has run.",
		Head:    Line{T("❔ "), B("Run " + title + "?"), T(" Nothing has run.")},
		Private: true,
	}
	if p.Note != "" {
		c.Body = append(c.Body, Text{Lines: []Line{{B(p.Note)}}})
	}
	if p.Reason != "" {
		reason := Line{T("Reason: “" + p.Reason + "”")}
		if p.Unmarked {
			reason = append(reason, T(" · these words would change nothing of what runs"))
		}
		c.Body = append(c.Body, Text{Lines: []Line{reason}})
	}
	if len(p.Plan.Steps) > 0 {
		c.Body = append(c.Body, Text{Lines: planLines(p.Plan)})
	}
	if p.Plan.Impact != "" {
		c.Body = append(c.Body, Text{Lines: []Line{{B("Impact of the outage: "), T(p.Plan.Impact)}}})
	}
	c.Buttons = []Button{{Action: TapRun, Label: "Run", Value: p.Run, Style: Primary}}
	if p.Title == "" {
		c.Buttons = append(c.Buttons, commandTap("Plan", p.Look))
	}
	c.Foot = []Line{{
		T(fmt.Sprintf("Only you can tap Run, within %d s. ", int(p.Within.Seconds()))),
		C("because REASON"),
		T(" runs without this question."),
	}}
	if len(p.Plan.Targets) > 1 {
		c.Foot = []Line{{T(fmt.Sprintf("Only you can tap Run, within %d s. One target after the other; a failure stops the rest.", int(p.Within.Seconds())))}}
	}
	return c
}

// PlanView is a plan to look at.
type PlanView struct {
	Plan      runbooks.Plan
	Need      int      // approvals
	Approvers []string // who could give them
	Against   []string // what stands in its way now
}

// WouldRun shows what a command would run. Nothing was run.
func WouldRun(v PlanView) Card {
	p := v.Plan
	where := and(planHosts(p))
	c := Card{
		Push: "Plan: " + p.Title + ". Nothing was run.", Private: true,
		Head: Line{
			T("🔎 "),
			B("Plan: " + p.Title),
			T(" on " + where + " · " + p.Cluster + " · " + p.Severity.String() + ". Nothing was run."),
		},
	}
	if len(v.Against) > 0 {
		lines := []Line{{B("In its way now")}}
		for _, why := range v.Against {
			lines = append(lines, Line{T("⚠️ " + why)})
		}
		c.Body = append(c.Body, Text{Lines: lines})
	}
	c.Body = append(c.Body, Text{Lines: planLines(p)})
	takes := "No approval needed"
	if v.Need > 0 {
		takes = count(v.Need, "approval") + " needed, of " + orElse(strings.Join(v.Approvers, ", "), "nobody")
	}
	if !p.Class.Changing() {
		takes = "It only reads"
	}
	lines := []Line{{T(takes)}}
	if len(p.Locks) > 0 {
		lines = append(lines, Line{T("Locks: "), C(strings.Join(p.Locks, ", "))})
	}
	if p.Impact != "" {
		lines = append(lines, Line{B("Impact of the outage: "), T(p.Impact)})
	}
	c.Body = append(c.Body, Text{Lines: lines})
	if p.Digest != "" {
		c.Foot = []Line{{T("plan " + p.Digest[:min(6, len(p.Digest))])}}
	}
	return c
}

// WhichRun lists open runs for a verb that named none. Nothing was changed.
func WhichRun(verb string, list []engine.Run) Card {
	if len(list) == 0 {
		text := "Nothing is open that you may see. `" + verb + "` changed nothing."
		return Card{Push: text, Head: Line{T("There is no open run that you may see. "), C(verb), T(" changed nothing.")}, Private: true}
	}
	c := Card{
		Push:    "Which run? " + count(len(list), "run") + " open.",
		Head:    Line{T("❔ "), B("Which run?"), T(" Nothing was changed.")},
		Private: true,
	}
	var lines []Line
	for _, r := range list[:min(mostTaps, len(list))] {
		sign, what := headline1(r)
		lines = append(lines, Line{T(sign + " "), B(r.ID), T(" " + what + " · " + runTitle(r) + " · "), named(r.Asked)})
		c.Buttons = append(c.Buttons, commandTap(r.ID+" "+Target(r), command.Fields{Verb: "show", Run: r.ID}))
	}
	c.Body = append(c.Body, Text{Lines: lines})
	return c
}

// and joins names as "a, b and c".
func and(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}

// EditedRunsNothing answers a command in the new text of an edited message.
func EditedRunsNothing() Card {
	const text = "Edited messages run nothing. Send the command as a new message."
	return Card{Push: text, Head: Line{T("✏️ " + text)}, Private: true}
}
