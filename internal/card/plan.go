package card

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"dhbot/internal/command"

	"dhbot/internal/engine"
	"dhbot/runbooks"
)

// How many runes of a command an approval card shows, of a plan on one host and of
// one on several; 0 is all of it, as details have it.
const (
	cardCommand     = 120
	cardCommandMany = 60
)

// planLines show what will run, exactly and in order, under the host that it
// runs on. Steps that only look and change nothing are left out, except those
// that prove the effect.
func planLines(p runbooks.Plan) []Line {
	const most = 8
	if p.Sweeps() {
		if lines := summaryLines(p, 0); len(lines) > 0 {
			return lines
		}
	}
	return placeLines(p, worthShowing(p.Steps), most, 0)
}

// cardPlanLines are planLines within an approval card: of a plan over several
// hosts only what is sent and what people do.
func cardPlanLines(p runbooks.Plan) []Line {
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
	lines := []Line{planHead(p, steps)}
	for i, st := range steps {
		if i == mostHosts {
			return append(lines, Line{B(fmt.Sprintf("… and %d more", len(steps)-i)), T(": see Details")})
		}
		l := planLine(i+1, st, cardCommandMany)
		lines = append(lines, slices.Insert(l, 1, B(st.Host), T(" ")))
	}
	return lines
}

// How many hosts the summary of a sequence has on an approval card, and how many
// processes of each.
const (
	cardHosts     = 4
	cardProcesses = 5
)

// summaryLines say which processes a sequence changes, host by host, in order; of
// at most hosts hosts, 0 for all. There are none where one command does it all.
func summaryLines(p runbooks.Plan, hosts int) []Line {
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
	lines := []Line{{B("What runs"), T(fmt.Sprintf(": %d processes on %s, one after the other, up to the first failure", n, count(len(order), "host")))}}
	for i, host := range order {
		if i == hosts && hosts > 0 {
			return append(lines, Line{B("… and " + count(len(order)-i, "more host")), T(": see Details")})
		}
		names, rest := of[host], ""
		if hosts > 0 && len(names) > cardProcesses {
			rest = fmt.Sprintf(" and %d more", len(names)-cardProcesses)
			names = names[:cardProcesses]
		}
		lines = append(lines, Line{B(host), T(fmt.Sprintf(" %d: %s%s", len(of[host]), strings.Join(names, ", "), rest))})
	}
	return lines
}

// placeLines are at most most steps of a plan, under the hosts that they run on,
// with commands of at most runes.
func placeLines(p runbooks.Plan, steps []runbooks.Step, most, runes int) []Line {
	lines := []Line{planHead(p, steps)}
	for i, st := range steps {
		if i == most {
			return append(lines, Line{B(fmt.Sprintf("… and %s", count(len(steps)-i, "more step"))), T(": see Details")})
		}
		if places(steps) > 1 && (i == 0 || place(st) != place(steps[i-1])) {
			lines = append(lines, Line{T("— "), B(st.Host), T(as(st))})
		}
		lines = append(lines, planLine(i+1, st, runes))
	}
	return lines
}

// planHead says where all of the steps run.
func planHead(p runbooks.Plan, steps []runbooks.Step) Line {
	head := Line{B("What runs")}
	if places(steps) == 1 {
		return append(head, T(" on "), B(steps[0].Host), T(as(steps[0])))
	}
	if n := len(planHosts(p)); n > 1 {
		head = append(head, T(fmt.Sprintf(" on %d hosts, one by one", n)))
	}
	return head
}

// places is how often steps go from one host or login to another, and one.
func places(steps []runbooks.Step) int {
	n := 0
	for i, st := range steps {
		if i == 0 || place(st) != place(steps[i-1]) {
			n++
		}
	}
	return n
}

// worthShowing leaves out the reads before and after that decide nothing for
// an approver.
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

func planLine(n int, st runbooks.Step, runes int) Line {
	l := Line{T(fmt.Sprintf("%d  ", n))}
	switch st.Kind {
	case runbooks.Exec:
		return append(l, shownPart(st.Command, runes)...)
	case runbooks.Wait:
		return append(l, T(fmt.Sprintf("%s (at most %s)", orElse(st.Title, "wait until "+string(st.Until)), span(st.Within.D()))))
	case runbooks.Manual:
		l = append(l, B("by hand: "), T(st.Title))
		if st.Command != "" && st.Command != st.Title {
			l = append(append(l, T(" — ")), shownPart(st.Command, runes)...)
		}
		return l
	default:
		return append(l, T(orElse(st.Title, string(st.Kind))))
	}
}

// shownPart is a command, which says of itself where it was shortened: its end
// may be what matters.
func shownPart(command string, most int) []Span {
	if most == 0 || len([]rune(command)) <= most {
		return []Span{C(command)}
	}
	return []Span{C(clip(command, most)), B(" see Details")}
}

// impactLines are whom it hits, whether it can be undone, and what is alike
// but not meant.
func impactLines(r engine.Run) []Line {
	var lines []Line
	if r.Plan.Impact != "" {
		lines = append(lines, Line{B("Impact during the run: "), T(r.Plan.Impact)})
	}
	if r.Plan.Class == runbooks.Destructive {
		lines = append(lines, Line{T("⚠️ "), B("It cannot be undone")})
	}
	if len(r.Beside) > 0 {
		lines = append(lines, Line{T("⚠️ "), B("Not touched: "), T(Target(r) + " on " + strings.Join(r.Beside, ", "))})
	}
	return lines
}

// votesWanted is "1 approval needed", or how many are in of several.
func votesWanted(r engine.Run) string {
	need, have := r.Needed(), r.Approvals()
	if have == 0 {
		return count(need, "approval") + " needed"
	}
	return fmt.Sprintf("%d of %d approvals", have, need)
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
