package runcard

import (
	"fmt"
	"slices"
	"strings"

	"dhbot/internal/card"
	"dhbot/internal/engine"
	"dhbot/runbooks"
)

// Target returns the name that an approver types to approve a run.
func Target(r engine.Run) string {
	if r.Inputs.Process != "" {
		return r.Inputs.Process
	}
	if len(r.Inputs.Hosts) == 1 {
		return r.Inputs.Hosts[0]
	}
	return r.Inputs.Cluster
}

// Run is the main message of a run, from request to outcome. Reminders and other notices go into
// its thread. Its first line has the action, target, host and severity, which may be all that a
// reader on a phone sees.
func Run(r engine.Run) card.Card { return run(r, false) }

// Asked is the first version of the card Run, which mentions the approvers. Later versions name
// them without a mention.
func Asked(r engine.Run) card.Card { return run(r, true) }

func run(r engine.Run, call bool) card.Card {
	c := card.Card{Head: runHead(r), Push: runPush(r)}
	switch r.State {
	case engine.Waiting:
		c.Body = waitingBody(r, call)
		c.Buttons = voteButtons(r)
	case engine.Denied, engine.Expired, engine.Refused, engine.Cancelled:
		c.Body = card.Paragraphs(append(whyLines(r), unchangedLine(r)), askedLines(r))
		if r.State == engine.Expired {
			c.Buttons = expiredButtons(r)
		}
	case engine.Done:
		c.Body = card.Paragraphs(outcomeLines(r), append(noteLines(r), pidLine(r, unready(r))...), ranLines(r), reasonLines(r))
		c.Buttons = unreadyButtons(r)
	default:
		c.Body = card.Paragraphs(
			whyLines(r),
			slices.Concat(stepLines(r), pidLine(r, inVain(r))),
			append(nextLines(r), validLine(r)...),
			askedLines(r),
		)
		c.Buttons = runButtons(r)
	}
	c.Foot = append(c.Foot, historyLine(r))
	return c
}

// Limits of the texts by the requester and the catalog on an approval card, in runes, so that the
// card and its buttons fit on a phone. Details has the full texts.
const (
	cardReason  = 60
	cardImpact  = 125
	cardUnclear = 120
)

// waitingBody shows what an approver needs for a decision: reason, commands and hosts, impact,
// similar targets that the run leaves alone, and missing approvals.
func waitingBody(r engine.Run, call bool) []card.Element {
	short := r
	short.Reason, short.Plan.Impact = card.Clip(r.Reason, cardReason), card.Clip(r.Plan.Impact, cardImpact)
	votes := card.Line{card.B(r.ID), card.T(" · " + votesWanted(r) + " · expires "), card.At(r.VoteBy)}
	return card.Paragraphs(
		unclearLines(r, cardUnclear),
		append(askedLines(short), votes),
		cardPlanLines(r.Plan),
		slices.Concat(impactLines(short), unlikeLastTime(r), calledLines(r, call)),
	)
}

// unclearLines lists the checks that had no result. They need one more approval in total. Each text
// is cut after maxRunes runes (0: never).
func unclearLines(r engine.Run, maxRunes int) []card.Line {
	var out []card.Line
	for i, u := range r.Unclear {
		head, text := "Could not be checked, so one more approval is needed: ", u.Text
		if i > 0 {
			head = "Could not be checked either: "
		}
		if maxRunes > 0 {
			text = card.Clip(text, maxRunes)
		}
		out = append(out, card.Line{card.T("⚠️ "), card.B(head), card.T(text)})
	}
	return out
}

// WithNote puts a line above a card, for example a line that says why the card is shown. It
// removes the card's buttons, and makes the line the push text.
func WithNote(c card.Card, note string) card.Card {
	c.Body = append([]card.Element{card.Text{Lines: []card.Line{{card.T(note)}}}}, c.Body...)
	c.Push = note
	c.Buttons = nil
	return c
}

func runHead(r engine.Run) card.Line {
	sign, what := headline1(r)
	if r.State == engine.Waiting { // severity comes first, because it matters for the decision
		level := r.Plan.Severity
		return card.Line{
			card.T(card.SeverityIcon(level) + " "), card.B(level.String() + " · " + what + " · " + r.Plan.Title),
			card.T(" on " + runWhere(r) + " · " + r.Plan.Cluster),
		}
	}
	return card.Line{card.T(sign + " "), card.B(what + " · " + r.Plan.Title), card.T(" on " + runTail(r))}
}

// runTail returns, for example, "infra-1 · prod · Sev 1 · Critical".
func runTail(r engine.Run) string {
	return runWhere(r) + " · " + r.Plan.Cluster + " · " + r.Plan.Severity.String()
}

// headline1 returns the sign and the text for the state of a run.
func headline1(r engine.Run) (sign, what string) {
	switch r.State {
	case engine.Waiting:
		return "⏳", "Approval needed"
	case engine.Approved:
		return "⏳", "About to start"
	case engine.Queued:
		return "⏳", "Queued behind " + r.Behind
	case engine.Running:
		if r.Abort != nil {
			return "✋", "Stopping after this step"
		}
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
		if r.BroughtBack() {
			return "☑️", "Closed after a restore"
		}
		return "☑️", "Closed by a person"
	default:
		return "❓", string(r.State)
	}
}

func took(r engine.Run) string {
	if r.StartedAt == nil || r.EndedAt == nil {
		return ""
	}
	return " in " + card.Duration(r.EndedAt.Sub(*r.StartedAt))
}

// runPush returns the text of a push notification: the head of the card, then requester and reason,
// or the outcome.
func runPush(r engine.Run) string {
	parts := []string{card.PlainLine(runHead(r))}
	add := func(lines []card.Line) {
		for _, l := range lines {
			parts = append(parts, card.PlainLine(l))
		}
	}
	switch r.State {
	case engine.Waiting:
		asked := r.Asked.Person + " asks"
		if r.Reason != "" {
			asked += ": “" + card.Clip(r.Reason, card.PushReason) + "”"
		}
		parts = append(parts, asked)
	case engine.Partly:
		add(partLines(r))
	default:
		if r.Why != "" {
			parts = append(parts, r.Why)
		}
		if r.State == engine.Done {
			add(noteLines(r)) // what was not observed
		}
		add(outcomeLines(r))
	}
	return card.Clip(strings.Join(parts, " · "), card.PushMost) + " · " + r.ID
}

// RunTitle returns, for example, "restart db_dis on infra-1 · prod".
func RunTitle(r engine.Run) string {
	return fmt.Sprintf("%s on %s · %s", r.Plan.Title, runWhere(r), r.Plan.Cluster)
}

// runWhere names the hosts. It counts several hosts, because an approver must notice an extra host.
func runWhere(r engine.Run) string {
	const most = 4
	hosts := planHosts(r.Plan)
	switch {
	case len(hosts) == 0:
		return "the cluster"
	case len(hosts) == 1:
		return hosts[0]
	case len(hosts) > most:
		return fmt.Sprintf("%d hosts (%s, …)", len(hosts), strings.Join(hosts[:most], ", "))
	default:
		return fmt.Sprintf("%d hosts (%s)", len(hosts), strings.Join(hosts, ", "))
	}
}

func planHosts(p runbooks.Plan) []string {
	var hosts []string
	for _, t := range p.Targets {
		if t.Host != "" {
			hosts = append(hosts, t.Host)
		}
	}
	return card.Unique(hosts)
}

// askedLines names the requester, the reason, and the approvals so far.
func askedLines(r engine.Run) []card.Line {
	l := card.Line{card.T("Asked by "), card.Name(r.Asked)}
	if r.Reason != "" {
		l = append(l, card.T(": “"+r.Reason+"”"))
	} else {
		l = append(l, card.T(" · no reason given"))
	}
	lines := []card.Line{l}
	if r.State == engine.Waiting {
		for _, v := range r.Votes {
			lines = append(lines, card.Line{card.T("Approved by "), card.Name(v.Actor), card.T(" at "), card.At(v.At)})
		}
	}
	return lines
}

// reasonLines names the requester and the reason, or is empty without a reason.
func reasonLines(r engine.Run) []card.Line {
	if r.Reason == "" {
		return nil
	}
	return askedLines(r)
}

func whyLines(r engine.Run) []card.Line {
	switch {
	case r.DenyBy != nil:
		return []card.Line{{card.T("Denied by "), card.Name(*r.DenyBy), card.T(": “" + r.Why + "”")}}
	case r.State == engine.Closed && r.EndedBy != nil:
		return []card.Line{{card.T("Closed by "), card.Name(*r.EndedBy), card.T(": “" + r.Why + "”")}}
	case r.State == engine.Partly:
		return append(partLines(r), toldLine(r)...)
	default:
		return toldLine(r)
	}
}

// toldLine says why a run ended. It omits what a step's line already says.
func toldLine(r engine.Run) []card.Line {
	why := r.Why
	for _, st := range r.Steps {
		if text := strings.TrimRight(st.Text, ". "); text != "" && (st.State == engine.StepFailed || st.State == engine.StepUnknown) &&
			strings.HasPrefix(why, text) {
			why = strings.TrimLeft(strings.TrimPrefix(why, text), ".; ")
			if r.State == engine.Partly {
				return nil // partLines have the rest
			}
		}
	}
	if why == "" {
		return nil
	}
	return []card.Line{{card.B(card.UpperFirst(why))}}
}

// unchangedLine says that a run changed nothing. If the run was stopped while it waited for a person
// to do a step, it says this only about the bot.
func unchangedLine(r engine.Run) card.Line {
	for i := range steps(r) {
		if r.Interrupted(i) {
			return card.Line{card.B("The bot changed nothing."), card.T(" Check this step, which a person may have begun: " + r.Plan.Steps[i].Title)}
		}
	}
	return card.Line{card.B("Nothing was changed.")}
}

// nextLines says what a person should do next, if anything.
func nextLines(r engine.Run) []card.Line {
	switch r.State {
	case engine.Unknown:
		return []card.Line{{
			card.T("The target stays locked until " + closer(r) + " has checked it and types "), card.C("close " + r.ID + " WHAT YOU FOUND"),
		}}
	case engine.Queued:
		if r.StartBy == nil {
			return nil
		}
		return []card.Line{{card.T("This run starts when "), card.B(r.Behind), card.T(" ends, but expires if it has not started by "), card.At(*r.StartBy)}}
	case engine.Paused:
		return []card.Line{{card.T("Do the step marked ✋, then tap Done or type "), card.C("done " + r.ID)}}
	default:
		return nil
	}
}

// historyLine says who requested and approved the run and when, and when it started and ended. For
// a waiting run it has only the time of the request, because the people are named above.
func historyLine(r engine.Run) card.Line {
	l := card.Line{card.T(r.ID + " · asked "), card.Name(r.Asked), card.T(" "), card.At(r.RequestedAt)}
	if r.State == engine.Waiting { // id and people are above
		return card.Line{
			card.T("asked "),
			card.At(r.RequestedAt),
			card.T(" · plan " + shortDigest(r.Plan.Digest) + " · " + card.Count(r.Records, "record")),
		}
	}
	for _, v := range r.Votes {
		l = append(l, card.T(" · approved "), card.Name(v.Actor), card.T(" "), card.At(v.At))
	}
	if r.StartedAt != nil {
		l = append(l, card.T(" · started "), card.At(*r.StartedAt))
	}
	if r.EndedAt != nil {
		l = append(l, card.T(" · ended "), card.At(*r.EndedAt))
	}
	return append(l, card.T(" · plan "+shortDigest(r.Plan.Digest)+" · "+card.Count(r.Records, "record")))
}

func shortDigest(d string) string {
	if len(d) > 6 {
		return d[:6]
	}
	return d
}

// Runs lists open and recent runs.
func Runs(open, ended []engine.Stored) card.Card {
	what := fmt.Sprintf("%d open, %d ended recently", len(open), len(ended))
	c := card.Card{Push: "Runs: " + what, Head: card.Line{card.B("Runs"), card.T(" · " + what)}}
	for _, list := range []struct {
		title string
		runs  []engine.Stored
	}{{"Open", open}, {"Ended recently", ended}} {
		if len(list.runs) > 0 {
			c.Body = append(c.Body, card.Text{Lines: runLines(list.title, list.runs)})
		}
	}
	return c
}

func runLines(title string, list []engine.Stored) []card.Line {
	lines := []card.Line{{card.B(title)}}
	for _, s := range list {
		sign, what := headline1(s.Run)
		lines = append(
			lines, card.Line{
				card.T(sign + " "), card.B(s.Run.ID), card.T(" " + what + " · " + RunTitle(s.Run) + " · "),
				card.Name(s.Run.Asked), card.T(" "), card.At(s.Run.RequestedAt),
			},
		)
	}
	return lines
}
