package redact

import (
	"strings"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi/parser"
)

// withoutEscapes removes terminal escape sequences from valid UTF-8, as ansi.Strip does. The bot
// does not import package ansi, because that package computes tables of character widths whenever
// a program starts, which takes more than 20 ms.
func withoutEscapes(text string) string {
	var out strings.Builder
	state := parser.GroundState
	for len(text) > 0 {
		next, action := parser.Table.Transition(state, text[0])
		size := 1
		if next == parser.Utf8State {
			_, size = utf8.DecodeRuneInString(text)
			next, action = parser.GroundState, parser.PrintAction
		}
		if action == parser.PrintAction || action == parser.ExecuteAction {
			out.WriteString(text[:size])
		}
		state, text = next, text[size:]
	}
	return out.String()
}
