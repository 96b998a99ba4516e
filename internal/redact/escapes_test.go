package redact

import (
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
	"pgregory.net/rapid"
)

// TestWithoutEscapes compares withoutEscapes with ansi.Strip, on texts in which every kind of
// escape sequence begins and ends anywhere.
func TestWithoutEscapes(t *testing.T) {
	parts := rapid.SampledFrom([]string{
		"\x1b", "[", "]", "31", ";", "m", "P", "\\", "\x07", "\x18", "\x1a", "\u009b", "\u009c", "\u009d", "\u0090", "0", "?", "é", "🟢", "한", "a", " ", "\t", "(B", "^", "_", "X", "\x7f",
	})
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOf(parts).Draw(t, "parts"), "")
		if got, want := withoutEscapes(text), ansi.Strip(text); got != want {
			t.Fatalf("%q became %q, want %q", text, got, want)
		}
	})
}
