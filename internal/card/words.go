package card

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"dhbot/internal/audit"
	"dhbot/internal/engine"
	"dhbot/runbooks"
)

// Refusal is a plain answer that nothing was done.
func Refusal(text string) Card {
	return Card{Push: "🚫 " + text, Head: Line{T("🚫 " + text)}, Private: true}
}

// DidYouMean names what was not understood and what may have been meant.
func DidYouMean(text string, commands []string) Card {
	c := Card{Push: "🤔 " + text, Head: Line{T("🤔 " + text)}, Private: true}
	if len(commands) == 0 {
		c.Body = append(c.Body, Text{Lines: []Line{{T("Nothing was run. "), C("help"), T(" lists what I understand.")}}})
		return c
	}
	const most = 5
	if len(commands) > most {
		commands = commands[:most]
	}
	lines := []Line{{T("Nothing was run. Did you mean:")}}
	for _, cmd := range commands {
		lines = append(lines, Line{C(cmd)})
	}
	c.Push += " Did you mean " + strings.Join(commands, ", ") + "?"
	c.Body = append(c.Body, Text{Lines: lines})
	return c
}

// Runs lists what is open and what ended lately.
func Runs(open, ended []engine.Stored) Card {
	what := fmt.Sprintf("%d open, %d ended lately", len(open), len(ended))
	c := Card{Push: "Runs: " + what, Head: Line{B("Runs"), T(" · " + what)}}
	for _, list := range []struct {
		title string
		runs  []engine.Stored
	}{{"Open", open}, {"Ended lately", ended}} {
		if len(list.runs) > 0 {
			c.Body = append(c.Body, Text{Lines: runLines(list.title, list.runs)})
		}
	}
	return c
}

func runLines(title string, list []engine.Stored) []Line {
	lines := []Line{{B(title)}}
	for _, s := range list {
		sign, what := headline1(s.Run)
		lines = append(
			lines, Line{
				T(sign + " "), B(s.Run.ID), T(" " + what + " · " + runTitle(s.Run) + " · "),
				named(s.Run.Asked), T(" "), At(s.Run.RequestedAt),
			},
		)
	}
	return lines
}

// Locks lists what is locked, by which run, why and since when; and, for each
// of the runs that wait for a person, how its locks are given back: there is no
// other way.
func Locks(held []engine.Lock, open []engine.Stored, now time.Time) Card {
	if len(held) == 0 {
		return Card{Push: "Nothing is locked", Head: Line{T("🔓 "), B("Nothing is locked")}}
	}
	what := count(len(held), "lock") + " held"
	c := Card{Push: "🔒 " + what, Head: Line{T("🔒 "), B(what)}}
	var lines []Line
	for _, l := range held {
		age := now.Sub(time.UnixMilli(l.Since))
		lines = append(lines, Line{C(l.Name), T(" by "), B(l.Run), T(" for " + span(age) + " · " + l.Reason)})
	}
	c.Body = append(c.Body, Text{Lines: lines})
	var stuck []Line
	for _, s := range open {
		if holds := slices.ContainsFunc(held, func(l engine.Lock) bool { return l.Run == s.Run.ID }); holds {
			stuck = append(stuck, freed(s.Run)...)
		}
	}
	if len(stuck) > 0 {
		c.Body = append(c.Body, Text{Lines: stuck})
	}
	return c
}

// freed says how a run gives its locks back that waits for a person.
func freed(r engine.Run) []Line {
	switch r.State {
	case engine.Unknown:
		who := T(" · its fate is unknown: look at the target, then ")
		if !r.Plan.Severity.Minor() { // as the engine has it
			who = T(" · its fate is unknown: somebody other than " + r.Asked.Person + " looks at the target, then ")
		}
		return []Line{{B(r.ID), who, C("close " + r.ID + " WHAT YOU FOUND")}}
	case engine.Paused:
		return []Line{{B(r.ID), T(" · waits for a person: "), C("done " + r.ID), T(" when the step is done, or "), C("cancel " + r.ID)}}
	default:
		return nil
	}
}

// HelpRow is one command as help shows it.
type HelpRow struct{ Verb, Aliases, Summary, Usage, Example string }

// HelpGroup is a part of the command list. A compact one shows names only.
type HelpGroup struct {
	Title   string
	Rows    []HelpRow
	Compact bool
}

// Help lists the commands that a person may use in a cluster, on one screen.
func Help(groups []HelpGroup, cluster string) Card {
	c := Card{Push: "What you can say", Head: Line{B("What you can say"), T(" in " + cluster)}, Private: true}
	for _, g := range groups {
		switch {
		case len(g.Rows) == 0:
		case g.Compact:
			verbs := make([]string, len(g.Rows))
			for i, r := range g.Rows {
				verbs[i] = r.Verb
			}
			c.Body = append(c.Body, Text{Lines: []Line{{B(g.Title + ": "), T(strings.Join(verbs, ", "))}}})
		default:
			lines := []Line{{B(g.Title)}}
			for _, r := range g.Rows {
				lines = append(lines, Line{C(r.Example), T(" — " + r.Summary)})
			}
			c.Body = append(c.Body, Text{Lines: lines})
		}
	}
	c.Foot = []Line{
		{C("help restart"), T(" or "), C("help db_dis"), T(" tells more. A reason follows “because”. In a thread, mention me instead of using the slash.")},
	}
	return c
}

// HelpParam is a parameter of a command: NAME=VALUE behind its target.
type HelpParam struct {
	Name, Help, Values string
	Default            string // "" for none
	Optional           bool
}

// HelpTopic is one command as help tells all about it.
type HelpTopic struct {
	HelpRow
	Params    []HelpParam
	Takes     string // what it takes to be carried out, "" where that depends
	MayNot    string // why the reader may not say it, "" where they may
	Processes []string
}

// HelpVerb tells more about one command.
func HelpVerb(t HelpTopic) Card {
	how := []Line{{T("Type "), C(t.Usage)}, {T("For example "), C(t.Example)}}
	if t.Aliases != "" {
		how = append(how, Line{T("Also understood: " + t.Aliases)})
	}
	var params []Line
	for _, p := range t.Params {
		l := Line{C(p.Name + "="), T(" " + p.Help + ": " + p.Values)}
		switch {
		case p.Default != "":
			l = append(l, T("; "+p.Default+" if left out"))
		case p.Optional:
			l = append(l, T("; may be left out"))
		}
		params = append(params, l)
	}
	var takes, processes []Line
	for _, text := range []string{t.Takes, t.MayNot} {
		if text != "" {
			takes = append(takes, Line{T(text)})
		}
	}
	if len(t.Processes) > 0 {
		processes = []Line{{B("Processes: "), T(strings.Join(t.Processes, ", "))}}
	}
	return Card{
		Push:    t.Verb + ": " + t.Summary,
		Head:    Line{B(t.Verb), T(" · " + t.Summary)},
		Body:    paragraphs(how, params, takes, processes),
		Private: true,
	}
}

// HelpProcess tells about one process.
func HelpProcess(p runbooks.Process, hosts []string) Card {
	where := []Line{{T("Runs on " + strings.Join(hosts, ", ") + " under " + string(p.Manager) + " as "), C(p.Service)}}
	if len(p.Aliases) > 0 {
		where = append(where, Line{T("Also called " + strings.Join(p.Aliases, ", "))})
	}
	var needs []string
	for _, n := range p.Needs {
		text := n.Process
		if n.When != "" {
			text += fmt.Sprintf(" (%s)", n.When)
		}
		needs = append(needs, text)
	}
	if len(needs) > 0 {
		where = append(where, Line{T("Needs " + strings.Join(needs, ", "))})
	}
	say := Line{B("You can say: ")}
	for i, a := range p.Actions {
		if i > 0 {
			say = append(say, T(", "))
		}
		say = append(say, C(a+" "+p.ID))
	}
	level := p.Level.String() + " when it is down"
	return Card{
		Push: p.Title + ": " + level + ". " + p.Impact, Head: Line{B(p.Title + " (" + p.ID + ")"), T(" · " + level)},
		Body: paragraphs([]Line{{T(p.Impact)}}, where, []Line{say}), Private: true,
	}
}

// Trail is a batch of trail entries, a line each. What a run is about stands
// in its first line of the batch.
func Trail(entries []audit.Sealed) Card { return trail(entries, map[string]bool{}) }

// TrailOf is a batch of one run's entries, where the run stands above: in its
// thread.
func TrailOf(entries []audit.Sealed) Card {
	told := map[string]bool{}
	for _, e := range entries {
		told[e.Record.Run] = e.Record.Run != ""
	}
	c := trail(entries, told)
	c.Foot = nil // the head stands in the audit channel
	return c
}

// trail does not repeat what runs shown before are about.
func trail(entries []audit.Sealed, told map[string]bool) Card {
	if len(entries) == 0 {
		return Card{}
	}
	first, last := entries[0].N, entries[len(entries)-1].N
	var lines []Line
	for _, e := range entries {
		lines = append(lines, trailLine(e, e.Record.Run != "" && told[e.Record.Run]))
		told[e.Record.Run] = true
	}
	c := Card{Push: "audit " + clip(PlainLine(lines[0]), pushMost), Body: []Element{Text{Lines: lines}}}
	if first != last {
		c.Push = fmt.Sprintf("audit #%d–%d · %s", first, last, clip(PlainLine(lines[0]), pushMost))
	}
	c.Foot = []Line{{T(fmt.Sprintf("head #%d ", last)), C(entries[len(entries)-1].Hash)}}
	return c
}

func trailLine(e audit.Sealed, told bool) Line {
	r := e.Record
	l := Line{T(fmt.Sprintf("#%d ", e.N)), At(r.At), T(" ")}
	if r.Run != "" {
		l = append(l, B(r.Run), T(" "))
	}
	l = append(l, T(string(r.Kind)))
	parts := []string{r.Person, r.Action, r.Target, r.Outcome, r.Text}
	if told {
		parts = []string{r.Person, r.Outcome, r.Text}
	}
	for _, part := range parts {
		if part != "" {
			l = append(l, T(" · "+part))
		}
	}
	switch {
	case r.Command != "":
		l = append(l, T(" · on "+r.Host+": "), C(r.Command))
	case r.Host != "" && told:
		l = append(l, T(" · on "+r.Host))
	}
	return l
}
