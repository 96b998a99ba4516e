// Package screen prints the events of `bot do` for people. On a terminal it uses colours.
package screen

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"dhbot/internal/local/localshell"
	"dhbot/internal/redact"
)

// Screen prints events for people. When a live text changes, it prints only the changed lines. It
// never erases, so it also works on a serial console and in a log.
type Screen struct {
	out   io.Writer
	paint paint
	live  map[string]bool // the lines of the previous live text
}

// New returns a Screen that uses colours if out is a terminal that supports them.
func New(out io.Writer, getenv func(string) string) *Screen {
	return &Screen{out: out, paint: paintFor(out, getenv)}
}

// Event prints an event.
func (s *Screen) Event(e localshell.Event) error {
	var b bytes.Buffer
	switch {
	case e.File != nil:
		fmt.Fprintf(&b, "--- %s\n%s", redact.Line(e.File.Name, 100), ended(redact.Clean(e.File.Content)))
	case e.Live:
		now := map[string]bool{}
		for _, l := range strings.Split(strings.TrimRight(redact.Clean(e.Text), "\n"), "\n") {
			now[l] = true
			if !s.live[l] {
				b.WriteString(l + "\n")
			}
		}
		s.live = now
	default:
		b.WriteString(ended(redact.Clean(e.Text)))
	}
	_, err := io.WriteString(s.out, s.paint(b.String()))
	return err
}

func ended(s string) string {
	if s == "" || strings.HasSuffix(s, "\n") {
		return s
	}
	return s + "\n"
}
