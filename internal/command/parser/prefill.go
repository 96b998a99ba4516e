package parser

import (
	"strings"

	"dhbot/internal/command"
	"dhbot/internal/command/guess"
)

// longestPrefill is the maximum length of a message, in bytes. A longer message is not parsed as a
// command.
const longestPrefill = 200

// Prefill suggests a command for another person's message, "" if there is no suggestion. A message
// that is a change becomes the plan of that change. A message that is a read of a run, process or
// host becomes Request.Text of that read. For any other text, Prefill suggests a read about the
// run, process or host that the text names. It never suggests a change.
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
