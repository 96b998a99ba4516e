package card

import (
	"strings"
	"time"

	"dhbot/internal/redact"
)

// PlainText returns a card as text without markup, for terminals and as a
// fallback. Times are in UTC, buttons are in brackets, and lines end in "\n".
// Escape sequences and control characters are removed.
func PlainText(c Card) string {
	var b strings.Builder
	writeLine(&b, c.Head)
	for _, e := range c.Body {
		switch e := e.(type) {
		case Text:
			for _, l := range e.Lines {
				writeLine(&b, l)
			}
		case Pre:
			b.WriteString(strings.TrimRight(redact.Clean(e.Text), "\n") + "\n")
		case Table:
			writeTable(&b, e)
		default:
			b.WriteString("(something that cannot be shown as text)\n")
		}
	}
	if len(c.Buttons) > 0 {
		labels := make([]string, len(c.Buttons))
		for i, t := range c.Buttons {
			labels[i] = "[" + redact.Clean(t.Label) + "]"
		}
		b.WriteString(strings.Join(labels, " ") + "\n")
	}
	for _, l := range c.Foot {
		writeLine(&b, l)
	}
	return b.String()
}

// PlainLine returns one line of a card as text.
func PlainLine(l Line) string {
	var b strings.Builder
	for _, s := range l {
		b.WriteString(PlainSpan(s))
	}
	return b.String()
}

// PlainSpan returns one span as text: a person as "@name", a time in UTC, a
// link with its URL.
func PlainSpan(s Span) string {
	switch s.Kind {
	case Group:
		return "@" + redact.Clean(s.Text)
	case Who:
		return "@" + redact.Clean(s.Text)
	case When:
		return Moment(s.At, s.Clock)
	case Link:
		if s.URL == "" {
			return redact.Clean(s.Text)
		}
		return redact.Clean(s.Text + " (" + s.URL + ")")
	default:
		return redact.Clean(s.Text)
	}
}

// Moment formats a time for readers whose zone is unknown: "14:07 UTC", with
// the date first unless clock is set.
func Moment(t time.Time, clock bool) string {
	if t.IsZero() {
		return "never"
	}
	if clock {
		return t.UTC().Format("15:04 UTC")
	}
	return t.UTC().Format("2006-01-02 15:04 UTC")
}

func writeLine(b *strings.Builder, l Line) {
	if len(l) > 0 {
		b.WriteString(PlainLine(l) + "\n")
	}
}

func writeTable(b *strings.Builder, t Table) {
	if len(t.Header) > 0 {
		b.WriteString(redact.Clean(strings.Join(t.Header, " · ")) + "\n")
	}
	for _, row := range t.Rows {
		cells := make([]string, 0, len(row))
		for _, cell := range row {
			if s := PlainLine(cell); s != "" {
				cells = append(cells, s)
			}
		}
		b.WriteString("• " + strings.Join(cells, " · ") + "\n")
	}
}
