package incidentcard

import (
	"fmt"
	"slices"
	"strings"

	"dhbot/internal/card"
	"dhbot/internal/command"
	"dhbot/internal/incident"
	"dhbot/runbooks"
	"dhbot/runbooks/catalogs"
)

// mostItems limits how many items of an incident have a line each; inFull limits how many also show
// evidence and impact.
const (
	mostItems = 6
	inFull    = 2
)

// Incident is the main message of an incident; updates go into its thread. It shows the failures,
// when they began, the impact, and buttons, or that the incident is resolved. The function find
// looks up a process in the catalog. It may be nil if the incident has ended.
func Incident(i incident.Incident, h incident.Handling, cluster string, find func(id string) (catalogs.Process, bool)) card.Card {
	if i.Ended != nil {
		return incidentOver(i, cluster)
	}
	open := worstFirst(i.Open())
	worst := i.Worst()
	icon, level := card.LevelIcon(worst, open[0].WorstCase), card.LevelWords(worst, open[0].WorstCase)
	what := itemHeadline(open[0]) + " · " + open[0].Target.String()
	names := ""
	if len(open) > 1 { // the lines below name the items
		what, names = fmt.Sprintf("%d problems", len(open)), ": "+strings.Join(targets(open, 3), ", ")
	}
	c := card.Card{
		Push: card.Clip(fmt.Sprintf("%s %s · %s%s · %s", icon, card.UpperFirst(level), what, names, cluster), card.PushMost),
		Head: card.Line{card.T(icon + " "), card.B(card.UpperFirst(level) + " · " + what), card.T(" · " + cluster)},
	}
	c.Body = append(c.Body, card.Text{Lines: handlingLines(h)})
	for n, it := range open[:min(mostItems, len(open))] {
		lines := itemLines(it, len(open) > 1, find)
		if n >= inFull {
			lines = lines[:1]
		}
		c.Body = append(c.Body, card.Text{Lines: lines})
	}
	if n := len(open) - mostItems; n > 0 {
		c.Body = append(c.Body, card.Text{Lines: []card.Line{{card.T(fmt.Sprintf("and %d more: ", n) + strings.Join(targets(open[mostItems:], 20), ", "))}}})
	}
	c.Body = append(c.Body, card.Paragraphs(overLines(i))...)
	c.Buttons = append([]card.Button{handlingTap(i.ID, h)}, incidentTaps(open[0], cluster, find)...)
	foot := card.Line{card.T("incident " + i.ID + " · opened "), card.At(i.Opened)}
	if open[0].Command != "" {
		foot = append(foot, card.T(" · "), card.C(open[0].Command))
	}
	c.Foot = []card.Line{foot, {card.T("Updates in this thread")}}
	return c
}

// Moved adds to a card of an incident that it is in the audit channel because the bot may not post
// in the channel for incidents of the cluster.
func Moved(c card.Card, cluster string) card.Card {
	c.Foot = append(slices.Clone(c.Foot), card.Line{
		card.T("Posted in the audit channel because I may not post in the channel for incidents of " + cluster + "; "), card.C("bot check --live"), card.T(" shows why"),
	})
	return c
}

func itemHeadline(it incident.Item) string {
	if it.Flaps > 0 {
		return fmt.Sprintf("Flapping, %d changes", it.Flaps)
	}
	return it.Headline
}

// worstFirst sorts items by severity and keeps the order of items with the same
// severity.
func worstFirst(list []incident.Item) []incident.Item {
	var out []incident.Item
	for _, level := range []runbooks.Severity{runbooks.Critical, runbooks.Moderate, runbooks.Unknown, runbooks.Low} {
		for _, it := range list {
			if it.To == level {
				out = append(out, it)
			}
		}
	}
	return out
}

// targets returns the names of at most limit items, and the number of the
// others.
func targets(list []incident.Item, limit int) []string {
	var out []string
	for n, it := range list {
		if n == limit {
			return append(out, fmt.Sprintf("%d more", len(list)-limit))
		}
		out = append(out, it.Target.String())
	}
	return out
}

// itemLines describes one item. For a single item, the first line of the card
// has its level and headline already.
func itemLines(it incident.Item, named bool, find func(string) (catalogs.Process, bool)) []card.Line {
	since := card.Line{card.T("Since "), card.At(it.First)}
	if named {
		since = card.Line{
			card.T(card.LevelIcon(it.To, it.WorstCase) + " "),
			card.B(it.Target.String()),
			card.T(" · " + card.LevelWords(it.To, it.WorstCase) + " · " + itemHeadline(it) + " · since "),
			card.At(it.First),
		}
	}
	if it.First != it.Since && it.Flaps == 0 {
		since = append(since, card.T(", in this state since "), card.At(it.Since))
	}
	lines := []card.Line{since}
	if it.Flaps > 0 {
		lines = append(lines, card.Line{card.T("Flapping: no more alerts until the state has been stable for a while")})
	} else if it.Text != "" {
		lines = append(lines, card.Line{card.T(it.Text)})
	}
	if it.Hold != "" {
		lines = append(lines, card.Line{card.B(card.UpperFirst(it.Hold))})
	}
	if len(it.Behind) > 0 {
		var names []string
		for _, t := range it.Behind {
			names = append(names, t.String())
		}
		lines = append(lines, card.Line{card.B(fmt.Sprintf("%d affected: ", len(names))), card.T(card.Clip(strings.Join(names, ", "), card.PushMost))})
	}
	// The catalog describes the impact of an outage, which a process that runs with errors does
	// not have.
	switch p, ok := find(it.Target.Process); {
	case !ok || p.Impact == "":
	case it.Outage:
		lines = append(lines, card.Line{card.B("Impact: "), card.T(p.Impact)})
	case it.To == runbooks.Unknown:
		lines = append(lines, card.Line{card.B("Impact if it is down: "), card.T(p.Impact)})
	}
	return lines
}

// overLines lists the recovered items of an incident.
func overLines(i incident.Incident) []card.Line {
	var out []card.Line
	for _, it := range i.Items {
		if it.Over() {
			out = append(
				out, card.Line{
					card.T(card.SeverityIcon(runbooks.None) + " "),
					card.B(it.Target.String()),
					card.T(" · " + it.Headline + " · since "),
					card.At(it.Since),
					card.T(" · was " + it.Peak.String()),
				},
			)
		}
	}
	return out[:min(mostItems, len(out))]
}

// incidentTaps returns the likely next commands for the worst item.
func incidentTaps(it incident.Item, cluster string, find func(string) (catalogs.Process, bool)) []card.Button {
	scope := incident.Scope{Cluster: cluster, Process: it.Target.Process, Host: it.Target.Host}
	if it.Target == incident.ManyHosts {
		scope.Host = ""
	}
	status := card.CommandTap("Status now", card.ScopeFields("status", scope))
	p, ok := find(it.Target.Process)
	if !ok {
		return []card.Button{status, card.WatchTap(scope)}
	}
	var out []card.Button
	if it.Verb != "" && it.Hold == "" {
		out = append(out, card.ChangeTap(it.Verb, it.Target, cluster, p.Impact))
	}
	out = append(append(out, status), card.LogsTap(p, it.Target, cluster, it.First)...)
	if len(p.Needs) > 0 {
		out = append(out, card.NeedsTap(it.Target, cluster))
	}
	return append(out, card.WatchTap(scope))
}

// incidentOver is the message of a resolved incident.
func incidentOver(i incident.Incident, cluster string) card.Card {
	sign, lasted := "✅ ", "Resolved after "+card.Duration(i.Ended.Sub(i.Opened))
	if i.Why != "" {
		sign, lasted = "👁 ", "Closed unresolved: "+i.Why
	}
	names := strings.Join(targets(i.Items, 3), ", ")
	was := " · was " + card.SeverityIcon(i.Peak()) + " " + i.Peak().String()
	c := card.Card{
		Push: card.Clip(sign+lasted+" · "+names+" · "+cluster, card.PushMost) + was,
		Head: card.Line{card.T(sign), card.B(lasted), card.T(" · " + names + " · " + cluster + was)},
		Body: card.Paragraphs(overLines(i)),
		Foot: []card.Line{{card.T("incident " + i.ID + " · opened "), card.At(i.Opened), card.T(" · closed "), card.At(*i.Ended)}},
	}
	c.Buttons = []card.Button{card.CommandTap("Status now", command.On("status", "", "", cluster))}
	if i.Items[0].Target.Process != "" {
		t := i.Items[0].Target
		c.Buttons[0].Value = command.On("status", t.Process, t.Host, cluster).Encode()
	}
	return c
}
