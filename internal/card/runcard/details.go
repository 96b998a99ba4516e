package runcard

import (
	"fmt"
	"slices"
	"strings"

	"dhbot/internal/card"
	"dhbot/internal/card/outputcard"
	"dhbot/internal/engine"
	"dhbot/runbooks"
)

const (
	// pageRoom limits a page of details. It covers the bytes of the text, plus spanRoom for each
	// span, which Slack adds.
	pageRoom = 9_000
	spanRoom = 75
	// longestShown is the length of the longest command that a page shows in full, in runes.
	longestShown = 2_500
)

// DetailsPage returns one page of a run's complete plan, for a window. Pages are numbered from 0. A
// number beyond the last page gives the last page.
func DetailsPage(r engine.Run, page int) card.Form {
	pages := detailPages(r)
	page = max(0, min(page, len(pages)-1))
	f := card.Form{Action: card.TapDetails, Value: runValue(r), Title: "Details of " + r.ID, Body: pages[page], Typed: "details " + r.ID}
	if r.State == engine.Waiting {
		f.Buttons = append(f.Buttons, card.Button{Action: card.TapLooking, Label: "👀 I'm looking", Value: runValue(r)}, cancelButton(r))
	}
	if len(pages) == 1 {
		return f
	}
	f.Body = append(f.Body, card.Text{Lines: []card.Line{{card.B(fmt.Sprintf("Page %d of %d", page+1, len(pages)))}}})
	turn := func(label string, to int) {
		f.Buttons = append(f.Buttons, card.Button{Action: card.TapDetails, Label: label, Value: fmt.Sprintf("%s %d", runValue(r), to)})
	}
	if page > 0 {
		turn("← Back", page-1)
	}
	if page < len(pages)-1 {
		turn("Next →", page+1)
	}
	return f
}

// Details returns the complete plan as one card. If the card may be cut, it also returns the plan
// as a file.
func Details(r engine.Run) (card.Card, *outputcard.File) {
	c := card.Card{
		Head: card.Line{card.B("Details of " + r.ID), card.T(" · " + RunTitle(r))},
		Push: "Details of " + r.ID + " · " + RunTitle(r),
	}
	parts, cut := detailParts(r, 0)
	c.Body = card.Paragraphs(parts...)
	if pages := detailPages(r); len(pages) == 1 && !cut {
		return c, nil
	}
	return c, &outputcard.File{Name: r.ID + ".txt", Title: "Details of " + r.ID, Content: []byte(card.PlainText(c))}
}

// detailParts returns the paragraphs of a plan. A command is cut after maxRunes runes (0: never).
// cut reports whether a command is longer than longestShown.
func detailParts(r engine.Run, maxRunes int) (parts [][]card.Line, cut bool) {
	parts = append(parts, detailHead(r), slices.Concat(unclearLines(r, 0), askedLines(r), impactLines(r), lookingLines(r)))
	for _, l := range r.Plan.Found {
		parts = append(parts, foundLines(l))
	}
	for i, st := range r.Plan.Steps {
		parts = append(parts, detailStep(r, i, maxRunes))
		cut = cut || max(len([]rune(st.Command)), len([]rune(st.Sent))) > longestShown
	}
	return parts, cut
}

// detailPages splits the parts of a plan into pages.
func detailPages(r engine.Run) [][]card.Element {
	parts, _ := detailParts(r, longestShown)
	var pages [][]card.Element
	room := 0
	for _, lines := range parts {
		w := weight(lines)
		if len(pages) == 0 || w > room {
			pages, room = append(pages, nil), pageRoom
		}
		room -= w
		last := len(pages) - 1
		pages[last] = append(pages[last], card.Text{Lines: lines})
	}
	return pages
}

func weight(lines []card.Line) int {
	n := spanRoom
	for _, l := range lines {
		n += spanRoom
		for _, s := range l {
			n += spanRoom + len(s.Text)*11/10
		}
	}
	return n
}

func detailHead(r engine.Run) []card.Line {
	p := r.Plan
	lines := []card.Line{
		{card.B(card.UpperFirst(RunTitle(r)))},
		{card.T(fmt.Sprintf("%s · %s · %s · %s", p.Severity, p.Class, votesWanted(r), card.Count(len(p.Steps), "step")))},
		{card.T("Plan "), card.C(p.Digest)},
		{card.T("Catalog “" + p.Catalog + "”")},
	}
	if len(p.Locks) > 0 {
		lines = append(lines, card.Line{card.T("Locks " + strings.Join(p.Locks, ", "))})
	}
	return append(lines, lastTimeLines(r)...)
}

// foundLines shows what a discovery read found.
func foundLines(l runbooks.Listing) []card.Line {
	const most = 20
	lines := []card.Line{{card.B(l.Title), card.T(" on " + l.Host + ", as found")}}
	for i, text := range l.Lines {
		if i == most {
			lines = append(lines, card.Line{card.T(fmt.Sprintf("… and %s", card.Count(len(l.Lines)-most, "more line")))})
			break
		}
		lines = append(lines, card.Line{card.C(card.Clip(text, 200))})
	}
	return lines
}

// detailStep describes one step: action, host, login, the exact command, time-outs and check.
func detailStep(r engine.Run, i, most int) []card.Line {
	st := r.Plan.Steps[i]
	head := card.Line{card.B(fmt.Sprintf("%d of %d · %s", i+1, len(r.Plan.Steps), card.OrElse(st.Title, string(st.Kind))))}
	if i < len(r.Steps) && r.Steps[i].State != engine.StepPending {
		head = append(head, card.T(" · "+stepSign(r.Steps[i].State)+" "+string(r.Steps[i].State)))
	}
	where := "On " + st.Host + as(st)
	if st.Address != "" {
		where += ", at " + st.Address
	}
	if st.Via != "" {
		where += ", through " + strings.ReplaceAll(st.Via, ",", ", then ")
	}
	if st.About != "" && st.About != st.Host {
		where += ", about " + st.About
	}
	lines := []card.Line{head, {card.T(where)}}
	if st.Command != "" {
		lines = append(lines, commandLine("", st.Command, r.ID, most))
	}
	if st.Sent != "" && st.Sent != st.Command {
		lines = append(lines, commandLine("Sent as ", st.Sent, r.ID, most))
	}
	lines = append(lines, card.Line{card.T(bounds(st))})
	if st.Source != "" {
		lines = append(lines, card.Line{card.T("From " + st.Source)})
	}
	if st.Corrected != "" {
		lines = append(lines, card.Line{card.T("Corrected: " + st.Corrected)})
	}
	return append(lines, keptLines(r, i)...)
}

// keptLines shows the evidence that a step collected on its target, before a change or after a
// time-out.
func keptLines(r engine.Run, i int) []card.Line {
	if i >= len(r.Steps) || len(r.Steps[i].Kept) == 0 {
		return nil
	}
	lines := []card.Line{{card.B("Evidence kept with this step")}}
	for _, text := range r.Steps[i].Kept {
		lines = append(lines, card.Line{card.C(text)})
	}
	return lines
}

// commandLine shows a command of a run. If it cuts the command, it says so.
func commandLine(before, command, run string, most int) card.Line {
	var l card.Line
	if before != "" {
		l = append(l, card.T(before))
	}
	n := len([]rune(command))
	if most == 0 || n <= most {
		return append(l, card.C(command))
	}
	return append(
		l,
		card.C(card.Clip(command, most)),
		card.T(fmt.Sprintf(" (cut: %d of %d characters; type details %s for a file with the whole command)", most, n, run)),
	)
}

// bounds describes the time-outs, checks and guards of a step.
func bounds(st runbooks.Step) string {
	words := []string{kindWords(st)}
	if st.Timeout > 0 {
		words = append(words, "time-out "+card.Duration(st.Timeout.D()))
	}
	if st.Within > 0 {
		words = append(words, "waits at most "+card.Duration(st.Within.D()))
	}
	if st.Until != "" {
		words = append(words, "until "+string(st.Until))
	}
	if st.Check != "" {
		words = append(words, "check: "+string(st.Check))
	}
	if st.Expect != "" {
		words = append(words, "must still return the same list ("+shortDigest(st.Expect)+")")
	}
	return strings.Join(words, " · ")
}

func kindWords(st runbooks.Step) string {
	switch st.Kind {
	case runbooks.Exec:
		return "Changes something, sent at most once"
	case runbooks.Manual:
		return "Done by a person"
	case runbooks.Wait, runbooks.List:
		return "Only reads"
	default:
		return string(st.Kind)
	}
}
