package runbooks

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"mvdan.cc/sh/v3/syntax"

	"dhbot/internal/suggest"
)

// maxLine is the maximum length of a command line, in bytes. A line must fit an SSH exec request,
// and approvers must be able to read it.
const maxLine = 16 << 10

// Quote returns a line of POSIX shell that runs exactly argv. The bot makes all command lines with
// it. Words that need no quotes get none, so a command looks as in the catalog.
//
// Quote refuses an empty argv, a first word that a shell would read as an assignment, text
// that is not UTF-8, and every character that is not printable (NUL, newlines, control and
// invisible formatting characters).
func Quote(argv []string) (string, error) {
	if len(argv) == 0 || argv[0] == "" {
		return "", errors.New("a command needs at least one word")
	}
	words := make([]string, len(argv))
	for i, word := range argv {
		if err := Printable(word); err != nil {
			return "", fmt.Errorf("word %d of the command %s: %w", i+1, suggest.Short(word), err)
		}
		quoted, err := syntax.Quote(word, syntax.LangPOSIX)
		if err != nil {
			return "", fmt.Errorf("word %d of the command %s: %w", i+1, suggest.Short(word), err)
		}
		words[i] = quoted
	}
	if strings.Contains(argv[0], "=") {
		return "", fmt.Errorf("the command cannot begin with %s: put env before it", suggest.Short(argv[0]))
	}
	line := strings.Join(words, " ")
	if len(line) > maxLine {
		return "", fmt.Errorf("the command is %d bytes long; the limit is %d", len(line), maxLine)
	}
	return line, nil
}

func Printable(s string) error {
	if !utf8.ValidString(s) {
		return errors.New("is not valid UTF-8")
	}
	for _, r := range s {
		if !unicode.IsPrint(r) {
			return fmt.Errorf("holds the character %U, which is not printable", r)
		}
	}
	return nil
}
