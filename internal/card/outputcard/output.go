package outputcard

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"dhbot/internal/card"
)

// File is a file that the bot posts in the thread of a card.
type File struct {
	Name, Title string
	Content     []byte
}

// Answer is the output of one of the commands that a read runs. Text is redacted.
type Answer struct {
	Process              string // for a read of several processes
	Host, Title, Command string
	OK                   bool
	Why                  string // the reason if OK is false
	Text                 string
	Dropped              bool // Text lacks the middle of a long output
	Errors, Fatals       int  // for logs, the number of lines of each level
	FirstError           string
	At                   time.Time

	// Grade rates the answer, if it can be rated, and Verdict gives the reason. The Text of a
	// rated answer is not shown. Table is shown if it is set.
	Grade   Grade
	Verdict string
	Table   *card.Table
}

// Grade rates an answer.
type Grade uint8

// The closed set of grades.
const (
	Unjudged Grade = iota
	Good
	Noteworthy
	Bad
)

// Reading is the result of a read that shows output.
type Reading struct {
	Title   string // "logs of db_dis"
	Cluster string
	Parts   []Answer
	At      time.Time
	// Sensitive means that only the requester may see the answers.
	Sensitive  bool
	Unrecorded bool
}

// Limits of the output in a card. Longer output is posted as a file.
const (
	shownLines = 12
	shownRunes = 1200
)

// Output shows the verdict of a read and the end of its output. It returns output that does not fit
// as complete files.
func Output(r Reading) (card.Card, []File) { return output(r, false) }

// output does the work of Output. If inOrder is set, it keeps the order of log lines.
func output(r Reading, inOrder bool) (card.Card, []File) {
	bad := 0
	var hosts []string
	for _, p := range r.Parts {
		if p.Host != "" {
			hosts = append(hosts, p.Host)
		}
		if !p.OK {
			bad++
		}
	}
	sign, verdict := "📄", verdict(r.Parts)
	switch worst := worstGrade(r.Parts); {
	case worst == Bad:
		sign = "🔴"
	case bad > 0:
		sign = "⚪"
	case worst == Noteworthy:
		sign = "🟡"
	case worst == Good:
		sign = "✅"
	}
	where := strings.Join(card.Unique(hosts), ", ")
	c := card.Card{
		Head: card.Line{card.T(sign + " "), card.B(r.Title), card.T(fmt.Sprintf(" on %s · %s · %s", where, r.Cluster, verdict))},
		Push: fmt.Sprintf("%s %s on %s: %s", sign, r.Title, where, verdict),
	}
	var files []File
	for i, p := range r.Parts {
		c.Body = append(c.Body, card.Text{Lines: saidLines(p)})
		if p.Table != nil {
			c.Body = append(c.Body, *p.Table)
		}
		if p.Grade != Unjudged {
			continue
		}
		if !p.OK && p.Text == "" || p.Text == "" {
			continue
		}
		tail, cut := lastLines(p.Text)
		if log, ok := excerpt(p.Text, inOrder); ok {
			tail, cut = log.text, !log.whole
			c.Foot = append(c.Foot, card.Line{card.T(log.times)})
		}
		c.Body = append(c.Body, card.Pre{Text: tail})
		if cut || p.Dropped {
			of := p.Title
			if p.Process != "" {
				of = p.Process + ": " + of
			}
			name := fmt.Sprintf("%d-%s.txt", i+1, fileName(p.Host+"-"+of))
			files = append(files, File{Name: name, Title: of + " on " + p.Host, Content: []byte(p.Text)})
		}
	}
	foot := card.Line{card.T("as of "), card.At(r.At)}
	if r.Unrecorded {
		foot = append(foot, card.T(" · this read is not recorded: my state store does not answer"))
	}
	c.Foot = append(c.Foot, foot)
	return c, files
}

// verdict summarizes a read in a few words.
func verdict(parts []Answer) string {
	errs := 0
	fatals := 0
	silent := 0
	empty := 0
	for _, p := range parts {
		if p.OK && p.Grade == Unjudged && p.Text == "" {
			empty++
		}
		errs, fatals = errs+p.Errors, fatals+p.Fatals
		if !p.OK {
			silent++
		}
	}
	var words []string
	if silent > 0 {
		words = append(words, fmt.Sprintf("%d of %d failed", silent, len(parts)))
	}
	if fatals > 0 {
		words = append(words, fmt.Sprintf("%d FATAL", fatals))
	}
	if errs > 0 {
		words = append(words, fmt.Sprintf("%d ERROR", errs))
	}
	words = append(words, judged(parts)...)
	switch {
	case len(words) > 0:
	case empty == len(parts):
		return "nothing found"
	default:
		return "answered"
	}
	return strings.Join(words, ", ")
}

// judged returns the verdicts of the answers with the worst grade, or "all as expected" if that
// grade is Good.
func judged(parts []Answer) (words []string) {
	worst := worstGrade(parts)
	for _, p := range parts {
		if p.Grade == worst && worst > Good {
			words = append(words, p.Verdict)
		}
	}
	if worst == Good {
		words = append(words, "all as expected")
	}
	return words
}

func worstGrade(parts []Answer) (worst Grade) {
	for _, p := range parts {
		worst = max(worst, p.Grade)
	}
	return worst
}

func saidLines(p Answer) []card.Line {
	l := card.Line{card.B(p.Host), card.T(": " + p.Title)}
	if p.Process != "" && p.Host == "" {
		l[0] = card.B(p.Process)
	} else if p.Process != "" {
		l[0] = card.B(p.Process + " on " + p.Host)
	}
	if !p.OK {
		l = append(l, card.T(" — "+p.Why))
	} else if p.Grade != Unjudged {
		l = append(l, card.T(" — "+p.Verdict))
	} else if p.Text == "" {
		l = append(l, card.T(" — no output"))
	}
	lines := []card.Line{l}
	if p.FirstError != "" {
		lines = append(lines, card.Line{card.T("first error: "), card.C(p.FirstError)})
	}
	if p.Command == "" {
		return lines
	}
	return append(lines, card.Line{card.C(p.Command)})
}

// lastLines returns as much of the end of a text as fits into a card. The second result reports
// whether it cut the text.
func lastLines(text string) (string, bool) {
	text = strings.TrimRight(text, "\n")
	lines := strings.Split(text, "\n")
	cut := false
	if len(lines) > shownLines {
		lines, cut = lines[len(lines)-shownLines:], true
	}
	out := strings.Join(lines, "\n")
	if n := utf8.RuneCountInString(out); n > shownRunes {
		r := []rune(out)
		out, cut = "…"+string(r[n-shownRunes:]), true
	}
	return out, cut
}

// fileName replaces every character except ASCII letters, digits, '-' and '_' by '-'.
func fileName(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' {
			return r
		}
		return '-'
	}, s)
}

// FollowingLog shows the end of a log that the bot keeps updating until a given time. If ended is
// set, this is the last update. Every version before it names that time, so the card stays true
// even if the bot can no longer edit it.
func FollowingLog(r Reading, until time.Time, ended bool) card.Card {
	c, _ := output(r, true)
	if ended {
		c.Foot = append(
			c.Foot,
			card.Line{card.T("ended · "), card.C("follow"), card.T(" again for more, "), card.C("logs"), card.T(" for earlier lines")},
		)
		return c
	}
	c.Head = append(card.Line{card.T("👀 ")}, c.Head[1:]...)
	c.Foot = append(c.Foot, card.Line{card.T("updated until "), card.At(until)})
	return c
}
