package runcard

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"dhbot/internal/card"
	"dhbot/internal/command"
	"dhbot/internal/engine"
	"dhbot/runbooks"
)

// An approval card shows the first runes of a command: cardCommand for a plan for one host, and
// cardCommandMany for several hosts.
const (
	cardCommand     = 120
	cardCommandMany = 60
)

// planLines lists the exact steps that will run, in order, grouped by host. It omits reads, except
// reads that verify the effect.
func planLines(p runbooks.Plan) []card.Line {
	const most = 8
	if p.Sweeps() {
		if lines := summaryLines(p, 0); len(lines) > 0 {
			return lines
		}
	}
	return placeLines(p, worthShowing(p.Steps), most, 0)
}

// cardPlanLines lists the steps as planLines does, but shorter, for an approval card. For several
// hosts it lists only commands and manual steps.
func cardPlanLines(p runbooks.Plan) []card.Line {
	const most, mostHosts = 3, 2
	if p.Sweeps() {
		if lines := summaryLines(p, cardHosts); len(lines) > 0 {
			return lines
		}
	}
	steps := worthShowing(p.Steps)
	if places(steps) == 1 {
		return placeLines(p, steps, most, cardCommand)
	}
	steps = slices.DeleteFunc(steps, func(st runbooks.Step) bool { return st.Kind != runbooks.Exec && st.Kind != runbooks.Manual })
	lines := []card.Line{planHead(p, steps)}
	for i, st := range steps {
		if i == mostHosts {
			return append(lines, card.Line{card.B(fmt.Sprintf("… and %d more", len(steps)-i)), card.T(": see Details")})
		}
		l := planLine(i+1, st, cardCommandMany)
		lines = append(lines, slices.Insert(l, 1, card.B(st.Host), card.T(" ")))
	}
	return lines
}

// Limits of the summary on an approval card: how many hosts, and how many processes of each host.
const (
	cardHosts     = 4
	cardProcesses = 5
)

// summaryLines lists the processes that a plan changes, host by host, in order, for at most
// maxHosts hosts (0: all). It returns nil if the plan changes no process.
func summaryLines(p runbooks.Plan, maxHosts int) []card.Line {
	var order []string
	of := map[string][]string{}
	for _, st := range p.Steps {
		if st.Kind != runbooks.Exec || st.Process == "" || slices.Contains(of[st.Host], st.Process) {
			continue
		}
		if of[st.Host] == nil {
			order = append(order, st.Host)
		}
		of[st.Host] = append(of[st.Host], st.Process)
	}
	if len(order) == 0 {
		return nil
	}
	n := 0
	for _, names := range of {
		n += len(names)
	}
	lines := []card.Line{
		{
			card.B("What runs"),
			card.T(fmt.Sprintf(": %d processes on %s, one after the other, up to the first failure", n, card.Count(len(order), "host"))),
		},
	}
	for i, host := range order {
		if i == maxHosts && maxHosts > 0 {
			return append(lines, card.Line{card.B("… and " + card.Count(len(order)-i, "more host")), card.T(": see Details")})
		}
		names, rest := of[host], ""
		if maxHosts > 0 && len(names) > cardProcesses {
			rest = fmt.Sprintf(" and %d more", len(names)-cardProcesses)
			names = names[:cardProcesses]
		}
		lines = append(lines, card.Line{card.B(host), card.T(fmt.Sprintf(" %d: %s%s", len(of[host]), strings.Join(names, ", "), rest))})
	}
	return lines
}

// placeLines lists the first maxSteps steps of a plan, grouped by host. A command is cut after
// maxRunes runes (0: never).
func placeLines(p runbooks.Plan, steps []runbooks.Step, maxSteps, maxRunes int) []card.Line {
	lines := []card.Line{planHead(p, steps)}
	for i, st := range steps {
		if i == maxSteps {
			return append(lines, card.Line{card.B(fmt.Sprintf("… and %s", card.Count(len(steps)-i, "more step"))), card.T(": see Details")})
		}
		if places(steps) > 1 && (i == 0 || place(st) != place(steps[i-1])) {
			lines = append(lines, card.Line{card.T("— "), card.B(st.Host), card.T(as(st))})
		}
		lines = append(lines, planLine(i+1, st, maxRunes))
	}
	return lines
}

// planHead names where the steps run.
func planHead(p runbooks.Plan, steps []runbooks.Step) card.Line {
	head := card.Line{card.B("What runs")}
	if places(steps) == 1 {
		return append(head, card.T(" on "), card.B(steps[0].Host), card.T(as(steps[0])))
	}
	if n := len(planHosts(p)); n > 1 {
		head = append(head, card.T(fmt.Sprintf(" on %d hosts, one at a time", n)))
	}
	return head
}

// places counts the groups of consecutive steps that have the same host and login.
func places(steps []runbooks.Step) int {
	n := 0
	for i, st := range steps {
		if i == 0 || place(st) != place(steps[i-1]) {
			n++
		}
	}
	return n
}

// worthShowing leaves out reads that do not matter to an approver.
func worthShowing(steps []runbooks.Step) []runbooks.Step {
	var out []runbooks.Step
	for _, st := range steps {
		look := st.Kind == runbooks.Wait && (st.Until == runbooks.Answers || st.Until == runbooks.Supervised || st.Until == runbooks.Ready)
		if !look && st.Kind != runbooks.List {
			out = append(out, st)
		}
	}
	return out
}

func place(st runbooks.Step) string { return st.Host + " " + st.Login }

func as(st runbooks.Step) string {
	if st.Login == "" {
		return ""
	}
	return " as " + st.Login
}

func planLine(n int, st runbooks.Step, runes int) card.Line {
	l := card.Line{card.T(fmt.Sprintf("%d  ", n))}
	switch st.Kind {
	case runbooks.Exec:
		return append(l, shownPart(st.Command, runes)...)
	case runbooks.Wait:
		return append(
			l,
			card.T(fmt.Sprintf("%s (at most %s)", card.OrElse(st.Title, "wait until "+string(st.Until)), card.Duration(st.Within.D()))),
		)
	case runbooks.Manual:
		l = append(l, card.B("by hand: "), card.T(st.Title))
		if st.Command != "" && st.Command != st.Title {
			l = append(append(l, card.T(" — ")), shownPart(st.Command, runes)...)
		}
		return l
	default:
		return append(l, card.T(card.OrElse(st.Title, string(st.Kind))))
	}
}

// shownPart returns a command of at most most runes (0: no limit). It marks a cut, because the end
// may matter.
func shownPart(command string, most int) []card.Span {
	if most == 0 || len([]rune(command)) <= most {
		return []card.Span{card.C(command)}
	}
	return []card.Span{card.C(card.Clip(command, most)), card.B(" see Details")}
}

// impactLines states the impact, warns if the run cannot be undone, and lists similar targets that
// the run leaves alone.
func impactLines(r engine.Run) []card.Line {
	var lines []card.Line
	if r.Plan.Impact != "" {
		lines = append(lines, card.Line{card.B("Impact during the run: "), card.T(r.Plan.Impact)})
	}
	if r.Plan.Class == runbooks.Destructive {
		lines = append(lines, card.Line{card.T("⚠️ "), card.B("The run cannot be undone")})
	}
	if len(r.Beside) > 0 {
		where := Target(r) + " on " + strings.Join(r.Beside, ", ")
		lines = append(lines, card.Line{card.T("⚠️ "), card.B("Not part of this run: "), card.T(where)})
	}
	return lines
}

// votesWanted returns, for example, "1 approval needed" or "1 of 2 approvals".
func votesWanted(r engine.Run) string {
	need, have := r.Needed(), r.Approvals()
	if have == 0 {
		return card.Count(need, "approval") + " needed"
	}
	return fmt.Sprintf("%d of %d approvals", have, need)
}

// Proposal is a change that needs no approval, only its requester's tap on Run.
type Proposal struct {
	Plan     runbooks.Plan
	Title    string // the title of a change without a plan
	Reason   string
	Unmarked bool
	Confirm  bool // the requester must tap Run even if the reason is marked
	Note     string
	Run      string         // the value of the Run button
	Look     command.Fields // the command that shows the plan
	Within   time.Duration
}

// Propose shows the steps of a proposed run, and a button that requests the run.
func Propose(p Proposal) card.Card {
	title := p.Title
	if title == "" {
		title = p.Plan.Title + " on " + card.And(planHosts(p.Plan)) + " · " + p.Plan.Cluster
	}
	c := card.Card{
		Push:    "Run " + title + "? Nothing has run.",
		Head:    card.Line{card.T("❔ "), card.B("Run " + title + "?"), card.T(" Nothing has run.")},
		Private: true,
	}
	if p.Note != "" {
		c.Body = append(c.Body, card.Text{Lines: []card.Line{{card.B(p.Note)}}})
	}
	if p.Reason != "" {
		reason := card.Line{card.T("Reason: “" + p.Reason + "”")}
		if p.Unmarked {
			reason = append(reason, card.T(" · only a reason: it does not change what runs"))
		}
		c.Body = append(c.Body, card.Text{Lines: []card.Line{reason}})
	}
	if len(p.Plan.Steps) > 0 {
		c.Body = append(c.Body, card.Text{Lines: planLines(p.Plan)})
	}
	if p.Plan.Impact != "" {
		c.Body = append(c.Body, card.Text{Lines: []card.Line{{card.B("Impact of the outage: "), card.T(p.Plan.Impact)}}})
	}
	c.Buttons = []card.Button{{Action: card.TapRun, Label: "Run", Value: p.Run, Style: card.Primary}}
	if p.Title == "" {
		c.Buttons = append(c.Buttons, card.CommandTap("Plan", p.Look))
	}
	within := fmt.Sprintf("Only you can tap Run, within %d s.", int(p.Within.Seconds()))
	switch {
	case len(p.Plan.Targets) > 1:
		c.Foot = []card.Line{{card.T(within + " One target after the other; a failure stops the rest.")}}
	case p.Unmarked && !p.Confirm:
		c.Foot = []card.Line{{card.T(within + " With "), card.C("because REASON"), card.T(" the command runs without this question.")}}
	default:
		c.Foot = []card.Line{{card.T(within)}}
	}
	return c
}

// PlanView is a plan to show.
type PlanView struct {
	Plan      runbooks.Plan
	Need      int      // approvals
	Approvers []string // who may approve
	Against   []string // current reasons against it
}

// WouldRun shows what a command would run, without running it.
func WouldRun(v PlanView) card.Card {
	p := v.Plan
	where := card.And(planHosts(p))
	c := card.Card{
		Push: "Plan: " + p.Title + ". Nothing was run.", Private: true,
		Head: card.Line{
			card.T("🔎 "),
			card.B("Plan: " + p.Title),
			card.T(" on " + where + " · " + p.Cluster + " · " + p.Severity.String() + ". Nothing was run."),
		},
	}
	if len(v.Against) > 0 {
		lines := []card.Line{{card.B("Obstacles now")}}
		for _, why := range v.Against {
			lines = append(lines, card.Line{card.T("⚠️ " + why)})
		}
		c.Body = append(c.Body, card.Text{Lines: lines})
	}
	c.Body = append(c.Body, card.Text{Lines: planLines(p)})
	takes := "No approval needed"
	if v.Need > 0 {
		takes = card.Count(v.Need, "approval") + " needed, from " + card.OrElse(strings.Join(v.Approvers, ", "), "no one")
	}
	if !p.Class.Changing() {
		takes = "Only reads"
	}
	lines := []card.Line{{card.T(takes)}}
	if len(p.Locks) > 0 {
		lines = append(lines, card.Line{card.T("Locks: "), card.C(strings.Join(p.Locks, ", "))})
	}
	if p.Impact != "" {
		lines = append(lines, card.Line{card.B("Impact of the outage: "), card.T(p.Impact)})
	}
	c.Body = append(c.Body, card.Text{Lines: lines})
	if p.Digest != "" {
		c.Foot = []card.Line{{card.T("plan " + p.Digest[:min(6, len(p.Digest))])}}
	}
	return c
}

// WhichRun lists the open runs after a command without a run id. The command changed nothing.
func WhichRun(verb string, list []engine.Run) card.Card {
	if len(list) == 0 {
		text := "There is no open run that you may see. `" + verb + "` changed nothing."
		return card.Card{
			Push:    text,
			Head:    card.Line{card.T("There is no open run that you may see. "), card.C(verb), card.T(" changed nothing.")},
			Private: true,
		}
	}
	c := card.Card{
		Push:    "Which run? " + card.Count(len(list), "run") + " open.",
		Head:    card.Line{card.T("❔ "), card.B("Which run?"), card.T(" Nothing was changed.")},
		Private: true,
	}
	var lines []card.Line
	for _, r := range list[:min(card.MostTaps, len(list))] {
		sign, what := headline1(r)
		lines = append(
			lines,
			card.Line{card.T(sign + " "), card.B(r.ID), card.T(" " + what + " · " + RunTitle(r) + " · "), card.Name(r.Asked)},
		)
		c.Buttons = append(c.Buttons, card.CommandTap(r.ID+" "+Target(r), command.Fields{Verb: "show", Run: r.ID}))
	}
	c.Body = append(c.Body, card.Text{Lines: lines})
	return c
}
