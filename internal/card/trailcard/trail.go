package trailcard

import (
	"fmt"
	"strings"
	"time"

	"dhbot/internal/audit"
	"dhbot/internal/card"
	"dhbot/internal/redact"
)

// The maximum numbers of lines in a card. If there are more lines, a file comes with the card.
const (
	auditLines    = 12
	timelineLines = 40
)

// Audit shows the newest entries that fit on a card, the oldest at the top. The argument unread is
// the number of older entries that were not read from the trail. The result whole reports whether
// the card shows all entries.
func Audit(what string, since time.Time, entries []audit.Sealed, unread int) (c card.Card, whole bool) {
	n := entriesOf(len(entries) + unread)
	c = card.Card{
		Push: fmt.Sprintf("Audit · %s · %s", what, n),
		Head: card.Line{card.T("🧾 "), card.B("Audit · " + what), card.T(" · " + n + " since "), card.DayAt(since)},
	}
	shown := entries
	if len(shown) > auditLines {
		shown = shown[len(shown)-auditLines:]
	}
	lines := make([]card.Line, len(shown))
	for i, e := range shown {
		lines[i] = auditLine(e)
	}
	c.Body = card.Paragraphs(lines)
	whole = len(shown) == len(entries) && unread == 0
	if !whole {
		c.Foot = append(c.Foot, card.Line{card.T(fmt.Sprintf("The newest %d; the file has %d.", len(shown), len(entries)))})
	}
	if unread > 0 {
		c.Foot = append(c.Foot, card.Line{card.T(fmt.Sprintf("%d older entries are left out: request a shorter period, or run bot audit show on the bot's machine.", unread))})
	}
	return c, whole
}

// auditLine renders an entry without its command. If the card does not show all entries, its file
// has the commands.
func auditLine(e audit.Sealed) card.Line {
	e.Record.Command = ""
	return trailLine(e, false)
}

// Timeline lists the events between two times as text to copy, in UTC. The argument left is the
// number of older entries that are left out. If the text does not fit on the card, the result story
// has the complete text, else it is "".
func Timeline(what string, from, to time.Time, entries []audit.Sealed, left int) (c card.Card, story string) {
	lines := Story(entries)
	head := fmt.Sprintf("Timeline · %s · %s – %s UTC", what, from.UTC().Format("2006-01-02 15:04"), to.UTC().Format("2006-01-02 15:04"))
	c = card.Card{Push: head, Head: card.Line{card.T("🕓 "), card.B(head)}}
	if left > 0 {
		c.Foot = append(c.Foot, card.Line{card.T(fmt.Sprintf("The timeline begins later than requested: %d older entries are left out.", left))})
	}
	if len(lines) == 0 {
		c.Body = card.Paragraphs([]card.Line{{card.T("There are no entries in this time.")}})
		return c, ""
	}
	shown := lines
	if len(lines) > timelineLines {
		shown = lines[len(lines)-timelineLines:]
		story = head + "\n\n" + strings.Join(lines, "\n") + "\n"
		c.Foot = append(c.Foot, card.Line{card.T(fmt.Sprintf("The last %d of %d lines; the file has all of them.", len(shown), len(lines)))})
	}
	c.Body = []card.Element{card.Pre{Text: strings.Join(shown, "\n")}}
	return c, story
}

// Story describes entries of the trail in plain sentences: one line each, with its time in UTC. It
// mentions a status only if the severity changed, and a step only when the step ended.
func Story(entries []audit.Sealed) []string {
	t := teller{seen: map[string]string{}, step: map[string]string{}}
	for _, e := range entries {
		if what := t.tell(e.Record); what != "" {
			t.lines = append(t.lines, t.stamp(e.Record.At)+"  "+redact.Line(what, 400))
		}
	}
	return t.lines
}

// teller tracks what the story contains, to avoid repetitions.
type teller struct {
	lines []string
	day   string
	seen  map[string]string // the last observed severity by target
	step  map[string]string // the current step by run
}

// stamp returns the time of day, preceded by the date if the date differs from the previous line's.
func (t *teller) stamp(at time.Time) string {
	day := at.UTC().Format("2006-01-02")
	if day != t.day {
		t.day = day
		return day + " " + at.UTC().Format("15:04:05")
	}
	return "           " + at.UTC().Format("15:04:05")
}

func (t *teller) tell(r audit.Record) string {
	who := r.Person
	if who == "" {
		who = "unknown person"
	}
	switch r.Kind {
	case audit.Requested:
		return fmt.Sprintf("%s asked for %s: %s %s%s%s", who, r.Run, r.Action, r.Target, inParens(r.Severity), quoted(r.Text))
	case audit.Refused:
		return fmt.Sprintf("%s was refused%s: %s", who, about(r), r.Text)
	case audit.Approved:
		return fmt.Sprintf("%s approved %s", who, r.Run)
	case audit.Denied:
		return fmt.Sprintf("%s denied %s%s", who, r.Run, quoted(r.Text))
	case audit.Withdrawn:
		return fmt.Sprintf("%s withdrew their approval of %s", who, r.Run)
	case audit.Looking:
		return fmt.Sprintf("%s is looking at %s", who, r.Run)
	case audit.Reminded:
		return fmt.Sprintf("%s still waits for approvals: %s", r.Run, r.Text)
	case audit.Cancelled:
		return fmt.Sprintf("%s cancelled %s%s", who, r.Run, quoted(r.Text))
	case audit.Ticked:
		return fmt.Sprintf("%s did a step of %s by hand%s", who, r.Run, quoted(r.Text))
	case audit.Restored:
		return r.Text
	case audit.Closed:
		if r.Person == "" {
			return fmt.Sprintf("%s closed: %s", r.Run, r.Text)
		}
		return fmt.Sprintf("%s closed %s%s", who, r.Run, quoted(r.Text))
	case audit.StepStarted:
		t.step[r.Run] = r.Text
		return ""
	case audit.StepEnded:
		return fmt.Sprintf("%s, %s: %s: %s", r.Run, r.Host, t.step[r.Run], orDash(r.Text))
	case audit.Expired, audit.Queued, audit.Started, audit.Ended, audit.Unknown:
		return fmt.Sprintf("%s %s", r.Run, ending(r))
	case audit.ReadDone:
		return t.look(r, who)
	case audit.Announced:
		if r.Action == "incident" || r.Action == "byhand" {
			return fmt.Sprintf("%s %s, %s%s", card.OrElse(r.Person, "dhbot"), r.Outcome, r.Target, quoted(r.Text))
		}
		return fmt.Sprintf("%s announced for %s: %s %s%s", who, r.Target, r.Action, r.Outcome, quoted(r.Text))
	case audit.Note:
		return strings.Join(strings.Fields(strings.Join([]string{r.Person, r.Action, r.Target, r.Outcome, r.Text}, " ")), " ")
	default:
		return fmt.Sprintf("%s %s", r.Kind, r.Text)
	}
}

// look describes a status if its severity differs from the previous severity.
func (t *teller) look(r audit.Record, who string) string {
	before, known := t.seen[r.Target]
	if r.Severity == "" || known && before == r.Severity || !known && strings.HasPrefix(r.Severity, "Sev 0") {
		return ""
	}
	t.seen[r.Target] = r.Severity
	target := r.Target
	if target == "" {
		target = r.Cluster
	}
	return fmt.Sprintf("%s was seen at %s (%s by %s)", target, r.Severity, r.Action, who)
}

// ending describes how a run ended, or its state.
func ending(r audit.Record) string {
	what := string(r.Kind)
	if r.Outcome != "" {
		what = r.Outcome
	}
	if r.Text != "" {
		what += ": " + r.Text
	}
	return what
}

func about(r audit.Record) string {
	if r.Run == "" {
		return ""
	}
	return " about " + r.Run
}

func inParens(s string) string {
	if s == "" {
		return ""
	}
	return " (" + s + ")"
}

func quoted(s string) string {
	if s == "" {
		return ""
	}
	return ": “" + s + "”"
}

func orDash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}

func entriesOf(n int) string {
	if n == 1 {
		return "1 entry"
	}
	return fmt.Sprintf("%d entries", n)
}

// Trail lists trail entries, one line each. The first line about a run also describes the run.
func Trail(entries []audit.Sealed) card.Card { return trail(entries, map[string]bool{}) }

// TrailOf lists entries of one run for the run's own thread, without a
// description of the run.
func TrailOf(entries []audit.Sealed) card.Card {
	told := map[string]bool{}
	for _, e := range entries {
		told[e.Record.Run] = e.Record.Run != ""
	}
	c := trail(entries, told)
	c.Foot = nil // the head of the trail is only for the audit channel
	return c
}

// trail lists entries. The first line about a run describes the run, unless told has the run's id.
func trail(entries []audit.Sealed, told map[string]bool) card.Card {
	if len(entries) == 0 {
		return card.Card{}
	}
	first, last := entries[0].N, entries[len(entries)-1].N
	var lines []card.Line
	for _, e := range entries {
		lines = append(lines, trailLine(e, e.Record.Run != "" && told[e.Record.Run]))
		told[e.Record.Run] = true
	}
	c := card.Card{Push: "audit " + card.Clip(card.PlainLine(lines[0]), card.PushMost), Body: []card.Element{card.Text{Lines: lines}}}
	if first != last {
		c.Push = fmt.Sprintf("audit #%d–%d · %s", first, last, card.Clip(card.PlainLine(lines[0]), card.PushMost))
	}
	c.Foot = []card.Line{{card.T(fmt.Sprintf("head #%d ", last)), card.C(entries[len(entries)-1].Hash)}}
	return c
}

func trailLine(e audit.Sealed, told bool) card.Line {
	r := e.Record
	l := card.Line{card.T(fmt.Sprintf("#%d ", e.N)), card.At(r.At), card.T(" ")}
	if r.Run != "" {
		l = append(l, card.B(r.Run), card.T(" "))
	}
	l = append(l, card.T(string(r.Kind)))
	parts := []string{r.Person, r.Action, r.Target, r.Outcome, r.Text}
	if told {
		parts = []string{r.Person, r.Outcome, r.Text}
	}
	for _, part := range parts {
		if part != "" {
			l = append(l, card.T(" · "+part))
		}
	}
	switch {
	case r.Command != "":
		l = append(l, card.T(" · on "+r.Host+": "), card.C(r.Command))
	case r.Host != "" && told:
		l = append(l, card.T(" · on "+r.Host))
	}
	return l
}
