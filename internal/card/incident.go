package card

import (
	"fmt"
	"strings"

	"dhbot/internal/watch"
	"dhbot/runbooks"
)

// mostItems is how many things of an incident have lines of their own, and
// inFull how many of these are told of with evidence and impact.
const (
	mostItems = 6
	inFull    = 2
)

// Incident is the one message of an incident: what is wrong, since when, whom
// it hits, and what to tap; or, in its first line, that it is over. find knows
// the processes.
func Incident(i watch.Incident, cluster string, find func(id string) (runbooks.Process, bool)) Card {
	if i.Ended != nil {
		return incidentOver(i, cluster)
	}
	open := worstFirst(i.Open())
	worst := i.Worst()
	var what string
	if len(open) == 1 {
		what = itemHeadline(open[0]) + " · " + open[0].Target.String()
	} else {
		what = fmt.Sprintf("%d things wrong · %s", len(open), strings.Join(targets(open, 3), ", "))
	}
	c := Card{
		Push: clip(fmt.Sprintf("%s %s · %s · %s", Mark(worst), upperFirst(worst.String()), what, cluster), pushMost),
		Head: Line{T(Mark(worst) + " "), B(upperFirst(worst.String()) + " · " + what), T(" · " + cluster)},
	}
	for n, it := range open[:min(mostItems, len(open))] {
		lines := itemLines(it, len(open) > 1, find)
		if n >= inFull {
			lines = lines[:1]
		}
		c.Body = append(c.Body, Text{Lines: lines})
	}
	if n := len(open) - mostItems; n > 0 {
		c.Body = append(c.Body, Text{Lines: []Line{{T(fmt.Sprintf("and %d more: ", n) + strings.Join(targets(open[mostItems:], 20), ", "))}}})
	}
	c.Body = append(c.Body, paragraphs(overLines(i))...)
	c.Buttons = incidentTaps(open[0], cluster, find)
	foot := Line{T("incident " + i.ID + " · opened "), At(i.Opened)}
	if open[0].Command != "" {
		foot = append(foot, T(" · "), C(open[0].Command))
	}
	c.Foot = []Line{foot, {T("Changes, and the end, are told in the thread")}}
	return c
}

func itemHeadline(it watch.Item) string {
	if it.Flaps > 0 {
		return fmt.Sprintf("Flapping, %d changes", it.Flaps)
	}
	return it.Headline
}

// worstFirst keeps the order of what is equally bad.
func worstFirst(list []watch.Item) []watch.Item {
	var out []watch.Item
	for _, level := range []runbooks.Severity{runbooks.Critical, runbooks.Moderate, runbooks.Unknown, runbooks.Low} {
		for _, it := range list {
			if it.To == level {
				out = append(out, it)
			}
		}
	}
	return out
}

// targets are the first few names.
func targets(list []watch.Item, most int) []string {
	var out []string
	for n, it := range list {
		if n == most {
			return append(out, fmt.Sprintf("%d more", len(list)-most))
		}
		out = append(out, it.Target.String())
	}
	return out
}

// itemLines tell of one thing that is wrong; its level and headline stand in
// the first line of the card where it is the only one.
func itemLines(it watch.Item, named bool, find func(string) (runbooks.Process, bool)) []Line {
	since := Line{T("Since "), At(it.First)}
	if named {
		since = Line{T(Mark(it.To) + " "), B(it.Target.String()), T(" · " + it.To.String() + " · " + itemHeadline(it) + " · since "), At(it.First)}
	}
	if it.First != it.Since && it.Flaps == 0 {
		since = append(since, T(", so since "), At(it.Since))
	}
	lines := []Line{since}
	if it.Flaps > 0 {
		lines = append(lines, Line{T("It goes up and down: told once, until it stays as it is")})
	} else if it.Text != "" {
		lines = append(lines, Line{T(it.Text)})
	}
	if it.Hold != "" {
		lines = append(lines, Line{B(upperFirst(it.Hold))})
	}
	if len(it.Behind) > 0 {
		var names []string
		for _, t := range it.Behind {
			names = append(names, t.String())
		}
		lines = append(lines, Line{B(fmt.Sprintf("%d behind it: ", len(names))), T(clip(strings.Join(names, ", "), pushMost))})
	}
	if p, ok := find(it.Target.Process); ok && p.Impact != "" {
		lines = append(lines, Line{B("Impact: "), T(p.Impact)})
	}
	return lines
}

// overLines name what of an incident is well again.
func overLines(i watch.Incident) []Line {
	var out []Line
	for _, it := range i.Items {
		if it.Over() {
			out = append(out, Line{T(Mark(runbooks.None) + " "), B(it.Target.String()), T(" · " + it.Headline + " · since "), At(it.Since), T(" · was " + it.Peak.String())})
		}
	}
	return out[:min(mostItems, len(out))]
}

// incidentTaps are what a person would type next about the worst.
func incidentTaps(it watch.Item, cluster string, find func(string) (runbooks.Process, bool)) []Button {
	scope := watch.Scope{Cluster: cluster, Process: it.Target.Process, Host: it.Target.Host}
	status := Button{Action: TapCommand, Label: "Status now", Value: scope.Command("status")}
	p, ok := find(it.Target.Process)
	if !ok {
		return []Button{status, watchTap(scope)}
	}
	var out []Button
	if it.Verb != "" && it.Hold == "" {
		out = append(out, changeTap(it.Verb, it.Target, cluster, p.Impact))
	}
	out = append(append(out, status), logsTap(p, it.Target, cluster, it.First)...)
	if len(p.Needs) > 0 {
		out = append(out, needsTap(it.Target, cluster))
	}
	return append(out, watchTap(scope))
}

// incidentOver is the message of an incident that is over.
func incidentOver(i watch.Incident, cluster string) Card {
	sign, lasted := "✅ ", "Resolved after "+span(i.Ended.Sub(i.Opened))
	if i.Why != "" {
		sign, lasted = "👁 ", "Not followed any more, "+i.Why
	}
	names := strings.Join(targets(i.Items, 3), ", ")
	was := " · was " + Mark(i.Peak()) + " " + i.Peak().String()
	c := Card{
		Push: clip(sign+lasted+" · "+names+" · "+cluster, pushMost) + was,
		Head: Line{T(sign), B(lasted), T(" · " + names + " · " + cluster + was)},
		Body: paragraphs(overLines(i)),
		Foot: []Line{{T("incident " + i.ID + " · opened "), At(i.Opened), T(" · closed "), At(*i.Ended)}},
	}
	c.Buttons = []Button{{Action: TapCommand, Label: "Status now", Value: "status in " + cluster}}
	if i.Items[0].Target.Process != "" {
		t := i.Items[0].Target
		c.Buttons[0].Value = watch.Scope{Cluster: cluster, Process: t.Process, Host: t.Host}.Command("status")
	}
	return c
}
