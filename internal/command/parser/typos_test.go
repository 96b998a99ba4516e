package parser_test

import (
	"bufio"
	"errors"
	"os"
	"strings"
	"testing"

	"dhbot/internal/command"
	"dhbot/internal/command/parser"
	"dhbot/internal/test/grammartest"
)

// TestTypos checks testdata/typos.txt. A mistyped command must be understood, or answered with the
// intended command.
func TestTypos(t *testing.T) {
	f, err := os.Open("testdata/typos.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	g := grammartest.New(t)
	n := 0
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		n++
		if typed, want, ok := strings.Cut(line, "=>"); ok {
			understood(t, g, strings.TrimSpace(typed), strings.TrimSpace(want))
		} else if typed, want, ok := strings.Cut(line, "?>"); ok {
			askedBack(t, g, strings.TrimSpace(typed), strings.TrimSpace(want))
		} else {
			t.Errorf("%q is neither => nor ?>", line)
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	if n < 40 {
		t.Errorf("only %d mistyped commands", n)
	}
}

// render formats a request as the test tables write it.
func render(r *command.Request) string {
	var b strings.Builder
	b.WriteString(r.Text())
	switch {
	case r.Unmarked:
		b.WriteString(" unmarked " + r.Reason)
	case r.Reason != "":
		b.WriteString(" reason " + r.Reason)
	}
	if r.Confirm {
		b.WriteString(" confirm")
	}
	if len(r.Left) > 0 {
		b.WriteString(" left " + strings.Join(r.Left, ", "))
	}
	return b.String()
}

func understood(t *testing.T, g *command.Grammar, typed, want string) {
	t.Helper()
	r, err := parser.Parse(g, parser.Input{Text: typed, Channel: "C1"})
	if err != nil {
		t.Errorf("%q: %v, want %s", typed, err, want)
		return
	}
	if got := render(r); got != want {
		t.Errorf("%q is read as %q, want %q", typed, got, want)
	}
}

func askedBack(t *testing.T, g *command.Grammar, typed, want string) {
	t.Helper()
	r, err := parser.Parse(g, parser.Input{Text: typed, Channel: "C1"})
	var q *command.Question
	if !errors.As(err, &q) {
		t.Errorf("%q is read as %+v, %v; want a question", typed, r, err)
		return
	}
	if len(q.Choices) == 0 || q.Choices[0].Text != want {
		t.Errorf("%q: %s choices %v, want %q first", typed, q.Text, q.Choices, want)
		return
	}
	if _, err := parser.Parse(g, parser.Input{Text: want, Channel: "C1"}); err != nil {
		t.Errorf("%q: the choice %q is not understood: %v", typed, want, err)
	}
}
