package parser

import (
	"strings"

	"dhbot/internal/command"
	"dhbot/internal/command/guess"
)

// longestPrefill is the maximum length, in bytes, of a message that is read as a command.
const longestPrefill = 200

// Prefill returns the likely command for a message of another person, "" if none is known. It
// returns a read unchanged, and for a change its plan. For any other text it returns a read about
// the run, process or host that the text names. It never returns a change.
func Prefill(g *command.Grammar, channel, text string) string {
	text = strings.TrimSpace(text)
	if len(text) <= longestPrefill && !strings.Contains(text, "\n") {
		r, err := Parse(g, Input{Text: text, Channel: channel})
		if err == nil && r.Changing() && r.Command.Action != "" {
			return "plan " + r.Text()
		}
		if err == nil && (r.Process != nil || len(r.Hosts) > 0 || r.Run != "") && !r.Changing() {
			return r.Text()
		}
	}
	return guess.Mentioned(g, text)
}
