package screen

import (
	"io"
	"os"
	"regexp"

	"golang.org/x/term"
)

// paint colours severities and outcomes in a text.
type paint func(text string) string

func plain(text string) string { return text }

// paintFor returns a paint that adds colours only if out is a terminal, NO_COLOR is not set
// (no-color.org), and TERM is not dumb.
func paintFor(out io.Writer, getenv func(string) string) paint {
	f, ok := out.(*os.File)
	if !ok || getenv("NO_COLOR") != "" || getenv("TERM") == "dumb" || !term.IsTerminal(int(f.Fd())) {
		return plain
	}
	return coloured
}

// colours has the words to colour, in order: the first match wins.
var colours = []struct {
	words *regexp.Regexp
	style string // the parameters of SGR, ECMA-48's "select graphic rendition"
}{
	{regexp.MustCompile(`\b(Sev 1|Failed|Unknown|Not allowed)\b`), "1;31"},
	{regexp.MustCompile(`\b(Sev [23]|Partly|Denied|Expired|Refused|Cancelled)\b`), "33"},
	{regexp.MustCompile(`\b(Sev 0|Done)\b`), "32"},
}

func coloured(text string) string {
	for _, c := range colours {
		text = c.words.ReplaceAllString(text, "\x1b["+c.style+"m$0\x1b[m")
	}
	return text
}
